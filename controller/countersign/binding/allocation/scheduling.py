"""What plugins write into a Pod about where it runs: tolerations, overhead, selectors.

Source:
    plugin/pkg/admission/{defaulttolerationseconds,extendedresourcetoleration,
    runtimeclass}/admission.go; pkg/util/tolerations/tolerations.go.
"""

from countersign.binding.comparison import Comparison
from countersign.binding.facts import AdmissionPlugin, runtime_class
from countersign.binding.normal_form import normal_form
from countersign.binding.podspecs import containers
from countersign.binding.tree import Struct


def complete_tolerations(sides: Comparison) -> None:
    """Tolerate nodes that are not ready, for a while, and nodes with special devices."""
    spec, facts = sides.spec(), sides.facts
    said = spec.get("tolerations", [])
    added = [
        {
            "key": f"node.kubernetes.io/{taint}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": seconds,
        }
        for taint, seconds in (
            ("not-ready", facts.not_ready_s),
            ("unreachable", facts.unreachable_s),
        )
        if not _tolerates(said, f"node.kubernetes.io/{taint}")
    ]
    if added:
        spec["tolerations"] = [*said, *added]
    if AdmissionPlugin.EXTENDED_RESOURCE_TOLERATION in facts.plugins:
        _tolerate_extended(spec)


def _tolerates(tolerations: list[Struct], taint: str) -> bool:
    return any(
        toleration.get("key", taint) == taint
        and toleration.get("effect", "NoExecute") == "NoExecute"
        for toleration in tolerations
    )


def _tolerate_extended(spec: Struct) -> None:
    """``AddOrUpdateTolerationInPod`` for each extended resource that is asked for."""
    asked = {
        name
        for container in containers(spec, "containers", "initContainers")
        for name in container.get("resources", {}).get("requests", {})
        if "/" in name
        and "kubernetes.io/" not in name
        and not name.startswith("requests.")
    }
    for name in sorted(asked):
        wanted = {"key": name, "operator": "Exists", "effect": "NoSchedule"}
        tolerations = spec.get("tolerations", [])
        replaced = [
            wanted if {**one, "tolerationSeconds": 0} == {**wanted, **_FOREVER} else one
            for one in tolerations
        ]
        found = wanted in replaced
        spec["tolerations"] = replaced if found else [*tolerations, wanted]


_FOREVER = {"tolerationSeconds": 0}


def run_as_class_says(sides: Comparison) -> None:
    """Set what the RuntimeClass says: overhead, node selector, tolerations.

    On CREATE alone: on an UPDATE what is seen may have it, or not.
    """
    spec = sides.spec()
    name = spec.get("runtimeClassName")
    found = next(iter(sides.facts.answers(runtime_class(name))), None) if name else None
    if found is None:
        return
    named = {**found, "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
    form = normal_form(named)
    if overhead := form.get("overhead", {}).get("podFixed"):
        spec["overhead"] = overhead
    if "scheduling" not in form:
        return
    scheduling = form["scheduling"]
    written = {
        "nodeSelector": {
            **spec.get("nodeSelector", {}),
            **scheduling.get("nodeSelector", {}),
        },
        "tolerations": _merged(
            spec.get("tolerations", []), scheduling.get("tolerations", [])
        ),
    }
    for field, value in written.items():
        if value and (sides.old is None or sides.seen_spec().get(field) == value):
            spec[field] = value


def _merged(first: list[Struct], second: list[Struct]) -> list[Struct]:
    """``MergeTolerations``: what another one covers is left out, of equals the first."""
    together, merged = [*first, *second], list[Struct]()
    for index, one in enumerate(together):
        later = (other for other in together[index + 1 :] if other != one)
        if not any(_covers(other, one) for other in (*merged, *later)):
            merged.append(one)
    return merged


def _covers(great: Struct, small: Struct) -> bool:
    """``isSuperset``."""
    if great == small:
        return True
    everything = "key" not in great and great.get("operator") == "Exists"
    if small.get("key") != great.get("key") and not everything:
        return False
    if "effect" in great and small.get("effect") != great["effect"]:
        return False
    if great.get("effect") == "NoExecute" and "tolerationSeconds" in great:
        seconds = small.get("tolerationSeconds")
        if seconds is None or seconds > great["tolerationSeconds"]:
            return False
    match great.get("operator", "Equal"):
        case "Equal":
            same = small.get("value") == great.get("value")
            return small.get("operator") == "Equal" and same
        case operator:
            return bool(operator == "Exists")
