"""What admission plugins and the storage strategy write into a Pod.

In the order in which the server runs them, since one sees what another wrote. Most run
on CREATE alone: what they wrote then is immutable, and stays.

Source:
    plugin/pkg/admission/{limitranger,serviceaccount,alwayspullimages,priority,
    defaulttolerationseconds,extendedresourcetoleration,runtimeclass,podtopologylabels};
    ``PrepareForCreate`` in pkg/registry/core/pod/strategy.go.
"""

import re
from collections.abc import Iterator

from countersign.binding.allocation.limits import keep_limits, limit_containers
from countersign.binding.allocation.resources import complete_pod_level
from countersign.binding.allocation.scheduling import (
    complete_tolerations,
    run_as_class_says,
)
from countersign.binding.comparison import Comparison, annotations
from countersign.binding.facts import (
    PRIORITY_CLASSES,
    AdmissionPlugin,
    node,
    service_account,
)
from countersign.binding.podspecs import containers
from countersign.binding.tree import Struct, Value, token

TOKEN_VOLUME = re.compile(r"kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}")
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_TOKEN_SECONDS = 3607  # WarnOnlyBoundTokenExpirationSeconds
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
GROUP_PROTECTION = "scheduling.k8s.io/podgroup-protection"
_MIRROR = "kubernetes.io/config.mirror"
_TOPOLOGY = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")
_IMMUTABLE = ("/spec/overhead", "/spec/priority", "/spec/preemptionPolicy")
"""What nobody but a plugin can choose, from a class that the intent names."""


def complete_pod(sides: Comparison) -> None:
    """Compute what the plugins wrote; only the token volume's suffix is theirs."""
    if sides.old is None:
        limit_containers(sides)
    else:
        keep_limits(sides)
    if _MIRROR not in annotations(sides.wanted):
        _service_account(sides)
    if AdmissionPlugin.ALWAYS_PULL_IMAGES in sides.facts.plugins:
        _always_pull(sides.spec())
    _priority(sides)
    complete_tolerations(sides)
    run_as_class_says(sides)
    _topology_labels(sides)
    _label_keys(sides)
    _apparmor(sides)
    complete_pod_level(sides)
    for path in _IMMUTABLE:
        sides.keep(path)
    sides.keep("/spec/nodeName")  # written by the scheduler through pods/binding


def _service_account(sides: Comparison) -> None:
    spec = sides.spec()
    spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    fact = service_account(sides.namespace, spec["serviceAccountName"])
    account: Struct = next(iter(sides.facts.answers(fact)), {})
    secrets = [
        {"name": secret["name"]} if "name" in secret else {}
        for secret in account.get("imagePullSecrets") or []
    ]
    if secrets:
        spec.setdefault("imagePullSecrets", secrets)
    automount = account.get("automountServiceAccountToken", True)
    if spec.get("automountServiceAccountToken", automount):
        _token_volume(sides)


def _token_volume(sides: Comparison) -> None:
    """Mount the token where no container mounts something else at its place.

    The plugin takes any volume whose name has its prefix for its own. We do not: such
    a name in an intent gets no mounts from us, and differs.
    """
    spec, said = sides.spec(), sides.spec().get("volumes", [])
    needy = [c for c in containers(spec, "initContainers", "containers") if _bare(c)]
    volumes = sides.seen_spec().get("volumes", [])
    name = volumes[len(said)].get("name", "") if len(volumes) > len(said) else ""
    if not needy or not TOKEN_VOLUME.fullmatch(name):
        return
    if any(volume.get("name", "").startswith("kube-api-access-") for volume in said):
        return
    spec["volumes"] = [*said, {"name": name, "projected": _token_source()}]
    mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
    for container in needy:
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]


def _bare(container: Struct) -> bool:
    mounts = container.get("volumeMounts", [])
    return all(mount.get("mountPath") != _TOKEN_PATH for mount in mounts)


def _token_source() -> Struct:
    """``TokenVolumeSource`` of the plugin, as it is on the wire."""
    token = {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}
    root = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    namespace = {"items": [{"path": "namespace", "fieldRef": field}]}
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": token},
            {"configMap": root},
            {"downwardAPI": namespace},
        ],
    }


def complete_pod_group(sides: Comparison) -> None:
    """The priority of its class, and a finalizer: podgroupprotection, priority.

    Its policy of preemption is behind a feature gate that is off.
    """
    if sides.old is not None:
        sides.keep("/spec/priority")
        return
    finalizers = sides.wanted["metadata"].get("finalizers", [])
    if GROUP_PROTECTION not in finalizers:
        sides.wanted["metadata"]["finalizers"] = [*finalizers, GROUP_PROTECTION]
    _priority(sides, preempting=False)


def _priority(sides: Comparison, *, preempting: bool = True) -> None:
    """The class's number and policy; without a class, the lowest global default's."""
    spec = sides.spec()
    classes: tuple[Struct, ...] = sides.facts.answers(PRIORITY_CLASSES)
    chosen: Struct | None
    if name := spec.get("priorityClassName"):
        chosen = next((c for c in classes if c["metadata"]["name"] == name), None)
        if chosen is None:
            return
    else:
        defaults = [c for c in classes if c.get("globalDefault") is True]
        chosen = min(defaults, key=lambda c: c.get("value", 0), default={})
        if chosen:
            spec["priorityClassName"] = chosen["metadata"]["name"]
    spec.setdefault("priority", chosen.get("value", 0))
    if preempting:
        policy = chosen.get("preemptionPolicy", "PreemptLowerPriority")
        spec.setdefault("preemptionPolicy", policy)


def _always_pull(spec: Struct) -> None:
    for container in containers(spec):
        container["imagePullPolicy"] = "Always"
    for volume in spec.get("volumes", []):
        if "image" in volume:
            volume["image"]["pullPolicy"] = "Always"


def _topology_labels(sides: Comparison) -> None:
    """Take over zone and region of the node that a Pod is created on.

    A Pod that is bound later gets them with the binding, and may keep them.
    """
    metadata = sides.wanted["metadata"]
    if sides.old is not None:
        for label in _TOPOLOGY:
            sides.keep("/metadata/labels/" + token(label))
    elif name := sides.spec().get("nodeName"):
        found: Struct = next(iter(sides.facts.answers(node(name))), {})
        labels = (found.get("metadata") or {}).get("labels") or {}
        if copied := {key: labels[key] for key in _TOPOLOGY if key in labels}:
            metadata["labels"] = {**metadata.get("labels", {}), **copied}


def _label_keys(sides: Comparison) -> None:
    """Expand (mis)matchLabelKeys into selectors: applyLabelKeysToLabelSelector.

    Of a Pod that is there already the expressions are immutable, its labels are not.
    """
    labels = (sides.old or sides.wanted)["metadata"].get("labels", {})
    for term in selecting_terms(sides.spec()):
        if "labelSelector" not in term:
            continue
        added = [
            {"key": key, "operator": operator, "values": [labels[key]]}
            for field, operator in (
                ("matchLabelKeys", "In"),
                ("mismatchLabelKeys", "NotIn"),
            )
            for key in term.get(field, [])
            if key in labels
        ]
        if added:
            selector = term["labelSelector"]
            selector["matchExpressions"] = [
                *selector.get("matchExpressions", []),
                *added,
            ]


def selecting_terms(spec: Struct) -> Iterator[Struct]:
    """Yield topology spread constraints and the terms of Pod (anti-)affinity."""
    yield from spec.get("topologySpreadConstraints", [])
    for name in ("podAffinity", "podAntiAffinity"):
        affinity = spec.get("affinity", {}).get(name, {})
        yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
        preferred = "preferredDuringSchedulingIgnoredDuringExecution"
        for weighted in affinity.get(preferred, []):
            yield weighted.get("podAffinityTerm", {})


def _apparmor(sides: Comparison) -> None:
    """Copy the deprecated annotations into the field: applyAppArmorVersionSkew."""
    spec, said = sides.spec(), annotations(sides.wanted)
    if spec.get("os", {}).get("name") == "windows":
        return
    of_pod = spec["securityContext"].get("appArmorProfile")
    for container in containers(spec):
        profile = _profile(said.get(_APPARMOR + container.get("name", "")))
        own = container.get("securityContext", {}).get("appArmorProfile")
        if profile and own is None and profile != of_pod:
            container.setdefault("securityContext", {})["appArmorProfile"] = profile


def _profile(annotation: Value) -> Struct | None:
    """``ApparmorFieldForAnnotation``; None for what is no valid profile."""
    match annotation:
        case "unconfined":
            return {"type": "Unconfined"}
        case "runtime/default":
            return {"type": "RuntimeDefault"}
        case str() if annotation.startswith("localhost/"):
            name = annotation.removeprefix("localhost/")
            return (
                {"type": "Localhost", "localhostProfile": name}
                if name.strip()
                else None
            )
        case _:
            return None
