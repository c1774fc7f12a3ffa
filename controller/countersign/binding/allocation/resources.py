"""Resources of a whole Pod, as far as its containers tell.

Source:
    ``DefaultPodLevelResources`` in pkg/api/pod/util.go;
    ``aggregateContainerResourcesByFn`` in
    k8s.io/component-helpers/resource/helpers.go.
"""

from countersign.binding.comparison import Comparison
from countersign.binding.podspecs import containers
from countersign.binding.scalars import nanos, quantity_text
from countersign.binding.tree import Struct


def complete_pod_level(sides: Comparison) -> None:
    """Fill in ``spec.resources`` from the containers, if it says anything at all.

    As servers do since 1.37 (``PodLevelResourcesFixDefaulting``), or did before: a Pod
    that says nothing of limits got nothing, and limits never came from containers.
    """
    resources = sides.spec().get("resources", {})
    if not (resources.get("requests") or resources.get("limits")):
        return
    filled = _filled(sides.spec(), resources)
    before = _filled(sides.spec(), resources, limits_too=False)
    if not resources.get("limits"):
        before = resources
    seen = sides.seen_spec().get("resources")
    resources.update(before if seen == before else filled)


def _filled(spec: Struct, resources: Struct, *, limits_too: bool = True) -> Struct:
    """Return the resources of a Pod with what its containers tell."""
    summed_limits, summed = _total(spec, "limits"), _total(spec, "requests")
    requests = dict(resources.get("requests", {}))
    limits = dict(resources.get("limits", {}))
    for name, amount in summed_limits.items():
        if name.startswith("hugepages-") and name not in requests:
            limits.setdefault(name, quantity_text(amount))
    for name in ("cpu", "memory"):
        if name in summed:
            requests.setdefault(name, quantity_text(summed[name]))
    for name, limit in limits.items():
        if _pod_level(name):
            requests.setdefault(name, limit)
    for name, request in requests.items() if limits_too else ():
        if _pod_level(name) and _all_limited(spec, name):
            amount = max(summed_limits[name], nanos(request))
            limits.setdefault(name, quantity_text(amount))
    found = {"requests": requests, "limits": limits}
    return {**resources, **{key: value for key, value in found.items() if value}}


def _pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _all_limited(spec: Struct, name: str) -> bool:
    return all(
        name in container.get("resources", {}).get("limits", {})
        for container in containers(spec)
    )


def _total(spec: Struct, key: str) -> dict[str, int]:
    """Return what a Pod's containers ask for at most at one time, in nanos.

    Init containers run one after the other, before the rest; those that restart
    always run on, beside all later ones.
    """
    together = _Sum()
    for container in containers(spec, "containers"):
        together.add(container, key)
    sidecars, peak = _Sum(), dict[str, int]()
    for container in containers(spec, "initContainers"):
        if container.get("restartPolicy") == "Always":
            sidecars.add(container, key)
            at_once = sidecars
        else:
            at_once = _Sum(sidecars)
            at_once.add(container, key)
        peak = {k: max(peak.get(k, 0), at_once.get(k, 0)) for k in {**peak, **at_once}}
    for name, amount in sidecars.items():
        together[name] = together.get(name, 0) + amount
    names = {**together, **peak}
    return {name: max(together.get(name, 0), peak.get(name, 0)) for name in names}


class _Sum(dict[str, int]):
    """Nanos by resource."""

    def add(self, container: Struct, key: str) -> None:
        """Add the requests or limits of a container."""
        for name, text in container.get("resources", {}).get(key, {}).items():
            self[name] = self.get(name, 0) + nanos(text)
