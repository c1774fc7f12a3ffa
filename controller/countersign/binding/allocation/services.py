"""Cluster addresses and node ports of Services.

An address or port that a requester chose from the allocator's own range cannot be told
from an allocated one. Who minds writes it into the manifest (threat model).

Source:
    pkg/registry/core/service/storage/{storage,alloc}.go
"""

from ipaddress import ip_address

from countersign.binding.comparison import Comparison
from countersign.binding.tree import Struct, Value

_DUMMY_PORTS = 256  # above the range: what a dry-run shows instead of allocated ports
ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def complete_service(sides: Comparison) -> None:
    """Accept allocated addresses and ports that the intent leaves open."""
    spec, seen = sides.spec(), sides.seen_spec()
    if spec["type"] == "ExternalName":
        return
    _keep_allocated(sides, spec)
    headless = "None" in (spec.get("clusterIP"), *spec.get("clusterIPs", []))
    _addresses(sides, spec, seen, headless=headless)
    _families(spec, seen, headless=headless)
    if _has_node_ports(spec):
        _node_ports(sides, spec, seen)


def _has_node_ports(spec: Struct) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _keep_allocated(sides: Comparison, spec: Struct) -> None:
    """On UPDATE what the manifest leaves open stays: patchAllocatedValues.

    Node ports go with the *name* of their port, unless another port uses the value.
    """
    old = sides.old_spec()
    if old.get("type", "ExternalName") == "ExternalName":
        return
    for field in ADDRESS_FIELDS:
        if field in old:
            spec.setdefault(field, old[field])
    if not (_has_node_ports(old) and _has_node_ports(spec)):
        return
    before = {port.get("name"): port.get("nodePort") for port in old.get("ports", [])}
    ports = spec.get("ports", [])
    used = {port.get("nodePort") for port in ports} & set(before.values())
    for port in ports:
        kept = before.get(port.get("name"))
        if kept is not None and kept not in used:
            port.setdefault("nodePort", kept)
    if "healthCheckNodePort" in old and _wants_health_check(spec):
        spec.setdefault("healthCheckNodePort", old["healthCheckNodePort"])


def _addresses(
    sides: Comparison, spec: Struct, seen: Struct, *, headless: bool
) -> None:
    """Accept addresses of the cluster's ranges, or None where None is meant."""
    shown = seen.get("clusterIPs", [])
    if not shown or seen.get("clusterIP") != shown[0]:
        return
    usable = (
        shown == ["None"]
        if headless
        else all(_in_ranges(sides, address) for address in shown)
    )
    if usable:
        spec.setdefault("clusterIP", shown[0])
        spec.setdefault("clusterIPs", shown)


def _in_ranges(sides: Comparison, address: Value) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in sides.facts.service_cidrs)


def _families(spec: Struct, seen: Struct, *, headless: bool) -> None:
    """Accept families that fit the addresses, and the policy that follows from them.

    Source:
        ``initIPFamilyFields`` in alloc.go.
    """
    open_ended = headless and not spec.get("selector")
    policy = "RequireDualStack" if open_ended else "SingleStack"
    spec.setdefault("ipFamilyPolicy", policy)
    said, shown = spec.get("ipFamilies", []), seen.get("ipFamilies", [])
    addresses = seen.get("clusterIPs", [])
    fitting = headless or shown == [
        "IPv6" if ":" in address else "IPv4" for address in addresses
    ]
    single = spec["ipFamilyPolicy"] == "SingleStack"
    if (
        fitting
        and shown[: len(said)] == said
        and shown in (["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"])
        and not (single and len(shown) > 1)
    ):
        spec["ipFamilies"] = shown


def _node_ports(sides: Comparison, spec: Struct, seen: Struct) -> None:
    """Accept node ports of the range where the type asks for some."""
    balanced = spec["type"] == "LoadBalancer"
    if not balanced or spec.get("allocateLoadBalancerNodePorts") is not False:
        for port, shown in zip(
            spec.get("ports", []), seen.get("ports", []), strict=False
        ):
            if _in_port_range(sides, shown.get("nodePort")):
                port.setdefault("nodePort", shown["nodePort"])
    check = seen.get("healthCheckNodePort")
    if _wants_health_check(spec) and _in_port_range(sides, check):
        spec.setdefault("healthCheckNodePort", check)


def _wants_health_check(spec: Struct) -> bool:
    """``NeedsHealthCheck`` in pkg/api/service/util.go."""
    return (
        spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    )


def _in_port_range(sides: Comparison, port: Value) -> bool:
    ports = sides.facts.node_ports
    dummies = range(ports.stop, ports.stop + _DUMMY_PORTS if sides.dry_run else 0)
    return type(port) is int and (port in ports or port in dummies)
