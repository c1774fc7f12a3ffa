"""Service to Endpoints and EndpointSlice, and Endpoints to its mirrored slices.

These say where traffic goes. So an address that was not there before must be one of a
live Pod that the Service selects, and a port one that the Service names.

Source:
    pkg/controller/endpoint, k8s.io/endpointslice, pkg/controller/endpointslicemirroring.
"""

from collections.abc import Iterator

from countersign.binding.derivations.kin import Kin, born, listing, mapping, text
from countersign.binding.edits import TIME
from countersign.binding.normal_form import LAST_APPLIED
from countersign.binding.podspecs import containers
from countersign.binding.tree import Struct, Value, find
from countersign.core.types.artifacts import Tree

_TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
_OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
_HEADLESS = "service.kubernetes.io/headless"
_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
_RESERVED = {_SERVICE_NAME, _MANAGED_BY, _HEADLESS}
_FREE = ("conditions", "hints", "zone")  # how to prefer among what is allowed


def endpoints(kin: Kin) -> Struct:
    """Return the Endpoints of a Service: of the same name, without an owner."""
    labels = {
        **mapping(kin.owner, "/metadata/labels"),
        **_headless(kin.owner),
        _ENDPOINTS_MANAGED_BY: "endpoint-controller",
    }
    made = born(
        kin, "v1", "Endpoints", name=kin.name, labels=labels, annotations=_marks(kin)
    )
    del made["metadata"]["ownerReferences"]
    before = listing(kin.old or {}, "/subsets")
    ports = list(_ports(kin)) + [p for s in before for p in listing(s, "/ports")]
    known = [a for subset in before for a in _addresses(subset)]
    subsets = []
    for subset in listing(kin.child, "/subsets"):
        kept = {
            field: [
                a for a in listing(subset, f"/{field}") if a in known or _of_pod(kin, a)
            ]
            for field in ("addresses", "notReadyAddresses")
        }
        subsets.append(
            kept | {"ports": [p for p in listing(subset, "/ports") if p in ports]}
        )
    return {**made, "subsets": subsets}


def slice_of_service(kin: Kin) -> Struct:
    """Return a slice of a Service that selects Pods."""
    said = mapping(kin.owner, "/metadata/labels").items()
    labels = {key: value for key, value in said if key not in _RESERVED}
    labels |= _headless(kin.owner) | {
        _SERVICE_NAME: kin.name,
        _MANAGED_BY: "endpointslice-controller.k8s.io",
    }
    made = _slice(kin, labels, _marks(kin))
    known = listing(kin.old or {}, "/endpoints")
    ports = list(_ports(kin)) + listing(kin.old or {}, "/ports")
    made["ports"] = [port for port in listing(kin.child, "/ports") if port in ports]
    made["endpoints"] = [
        endpoint
        for endpoint in listing(kin.child, "/endpoints")
        if any(_core(endpoint) == _core(other) for other in known)
        or _of_pod(kin, _core(endpoint))
    ]
    return made


def slice_of_endpoints(kin: Kin) -> Struct:
    """Return a mirrored slice of Endpoints that a person wrote."""
    labels = mapping(kin.owner, "/metadata/labels") | {
        _SERVICE_NAME: kin.name,
        _MANAGED_BY: "endpointslicemirroring-controller.k8s.io",
    }
    said = mapping(kin.owner, "/metadata/annotations").items()
    copied = {k: v for k, v in said if k not in (_TRIGGERED, LAST_APPLIED)}
    made = _slice(kin, labels, copied | _marks(kin))
    if kin.old is not None and not text(kin.child, "/metadata/generateName"):
        # written anew under the name that it has: ``newEndpointSlice``
        del made["metadata"]["generateName"]
        made["metadata"]["name"] = text(kin.old, "/metadata/name")
    subsets = listing(kin.owner, "/subsets")
    ports = [port for subset in subsets for port in listing(subset, "/ports")]
    known = [_core_of_address(a) for subset in subsets for a in _addresses(subset)]
    made["ports"] = [port for port in listing(kin.child, "/ports") if port in ports]
    made["endpoints"] = [
        endpoint
        for endpoint in listing(kin.child, "/endpoints")
        if _core(endpoint) in known
    ]
    return made


def _slice(kin: Kin, labels: Struct, annotations: Struct) -> Struct:
    made = born(
        kin,
        "discovery.k8s.io/v1",
        "EndpointSlice",
        generateName=f"{kin.name}-",
        labels=labels,
        annotations=annotations,
    )
    family = kin.child.get("addressType")
    made["addressType"] = family if family in ("IPv4", "IPv6") else "IPv4"
    return made


def _marks(kin: Kin) -> Struct:
    marks: Struct = {}
    if TIME.fullmatch(kin.seen(_TRIGGERED)):
        marks[_TRIGGERED] = kin.seen(_TRIGGERED)
    if kin.seen(_OVER_CAPACITY) == "truncated":
        marks[_OVER_CAPACITY] = "truncated"
    return marks


def _headless(service: Tree) -> Struct:
    return (
        {} if text(service, "/spec/clusterIP") not in ("", "None") else {_HEADLESS: ""}
    )


def _addresses(subset: Struct) -> list[Value]:
    return listing(subset, "/addresses") + listing(subset, "/notReadyAddresses")


def _core(endpoint: Value) -> Struct:
    """Return where an endpoint leads, without what only states a preference."""
    said = endpoint if type(endpoint) is dict else {}
    return {key: value for key, value in said.items() if key not in _FREE}


def _core_of_address(address: Struct) -> Struct:
    """Return the same of an address of Endpoints."""
    kept = {key: value for key, value in address.items() if key != "ip"}
    return {"addresses": [address.get("ip")], **kept}


def _of_pod(kin: Kin, said: Value) -> bool:
    """Tell whether an address, in either form, is one of a Pod that is selected."""
    if type(said) is not dict:
        return False
    target = mapping(said, "/targetRef")
    pod = next(
        (p for p in kin.pods if text(p, "/metadata/uid") == target.get("uid")), None
    )
    if pod is None or not _selected(kin.owner, pod):
        return False
    own = {ip["ip"] for ip in listing(pod, "/status/podIPs") if ip.get("ip")}
    expected = {
        "targetRef": {
            "kind": "Pod",
            "namespace": text(pod, "/metadata/namespace"),
            "name": text(pod, "/metadata/name"),
            "uid": text(pod, "/metadata/uid"),
        },
        "nodeName": text(pod, "/spec/nodeName"),
        "hostname": text(pod, "/spec/hostname"),
    }
    addresses = listing(said, "/addresses") or [said.get("ip")]
    rest = {k: v for k, v in said.items() if k not in ("ip", "addresses")}
    return (
        len(addresses) == 1
        and addresses[0] in own
        and all(value and expected.get(key) == value for key, value in rest.items())
    )


def _selected(service: Tree, pod: Tree) -> bool:
    selector = mapping(service, "/spec/selector")
    labels = mapping(pod, "/metadata/labels")
    return bool(selector) and selector.items() <= labels.items()


def _ports(kin: Kin) -> Iterator[Struct]:
    """Yield the ports that may stand in the child, as each kind writes them."""
    for port in listing(kin.owner, "/spec/ports"):
        for target in _targets(kin, port):
            name, protocol = port.get("name", ""), port.get("protocol", "TCP")
            plain = {"port": target, "protocol": protocol}
            more = {"appProtocol": port["appProtocol"]} if "appProtocol" in port else {}
            yield {**plain, **more, "name": name}
            if not name:
                yield {**plain, **more}


def _targets(kin: Kin, port: Struct) -> Iterator[int]:
    """Yield the numbers behind a Service's port (``FindPort``)."""
    target = port.get("targetPort", port.get("port"))
    if type(target) is int:
        yield target
        return
    for pod in kin.pods:
        if _selected(kin.owner, pod):
            for container in containers(
                mapping(pod, "/spec"), "initContainers", "containers"
            ):
                for open_port in listing(container, "/ports"):
                    if find(open_port, "/name") == target:
                        yield open_port.get("containerPort")
