"""Cluster addresses and node ports of Services.

An address or port that a requester chose from the allocator's own range cannot be told
from an allocated one. Who minds writes it into the manifest (threat model).

Source:
    pkg/registry/core/service/storage/{storage,alloc}.go
"""

from collections.abc import Iterator
from ipaddress import ip_address

from countersign.binding.comparison import Comparison
from countersign.binding.tree import Struct, Value

_DUMMY_PORTS = 256  # above the range: what a dry-run shows instead of allocated ports
_NAMES = {4: "IPv4", 6: "IPv6"}
_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def complete_service(sides: Comparison) -> None:
    """Accept allocated addresses and ports that the intent leaves open."""
    spec, seen = sides.spec(), sides.seen_spec()
    if spec["type"] == "ExternalName":
        return
    _normalise_addresses(spec)
    _keep_allocated(sides, spec)
    headless = "None" in (spec.get("clusterIP"), *spec.get("clusterIPs", []))
    open_ended = headless and not spec.get("selector")
    policy = "RequireDualStack" if open_ended else "SingleStack"
    spec.setdefault("ipFamilyPolicy", policy)
    if seen.get("ipFamilies") in _possible_families(sides, spec, headless=headless):
        spec["ipFamilies"] = seen["ipFamilies"]
        _addresses(sides, spec, seen, headless=headless)
    if _has_node_ports(spec):
        _node_ports(sides, spec, seen)
    check = seen.get("healthCheckNodePort")
    if _wants_health_check(spec) and _in_port_range(sides, check):
        spec.setdefault("healthCheckNodePort", check)


def _has_node_ports(spec: Struct) -> bool:
    """``needsNodePort`` in storage.go."""
    balanced = spec.get("type") == "LoadBalancer"
    allocated = spec.get("allocateLoadBalancerNodePorts", True)
    return spec.get("type") == "NodePort" or (balanced and allocated)


def _normalise_addresses(spec: Struct) -> None:
    """``normalizeClusterIPs``: the singular alone stands for a list of one."""
    if "clusterIP" in spec:
        spec.setdefault("clusterIPs", [spec["clusterIP"]])


def _keep_allocated(sides: Comparison, spec: Struct) -> None:
    """On UPDATE what the manifest leaves open stays: patchAllocatedValues.

    A signed ``SingleStack`` gives up the second address and family.
    """
    old = sides.old_spec()
    if old.get("type", "ExternalName") == "ExternalName":
        return
    for field in ADDRESS_FIELDS:
        if field in old:
            spec.setdefault(field, old[field])
    if old.get("clusterIPs", [])[:1] == spec.get("clusterIPs"):
        spec["clusterIPs"] = old["clusterIPs"]  # the singular alone was said
    if spec.get("ipFamilyPolicy") == "SingleStack":
        for field in ("clusterIPs", "ipFamilies"):
            if spec.get(field) == old.get(field) is not None:
                spec[field] = spec[field][:1]
    _keep_ports(spec, old, sides.seen_spec())


def _keep_ports(spec: Struct, old: Struct, seen: Struct) -> None:
    """Keep node ports by the *name* of their port, unless another port uses the value."""
    if "healthCheckNodePort" in old and _wants_health_check(spec):
        spec.setdefault("healthCheckNodePort", old["healthCheckNodePort"])
    before = {port.get("name"): port.get("nodePort") for port in old.get("ports", [])}
    ports = spec.get("ports", [])
    if spec["type"] == "LoadBalancer" and not _has_node_ports(spec):
        # nothing is allocated any more; what an apply finds there may stay
        for port, shown in zip(ports, seen.get("ports", []), strict=False):
            if shown.get("nodePort", -1) == before.get(port.get("name")):
                port.setdefault("nodePort", shown["nodePort"])
    if not (_has_node_ports(old) and _has_node_ports(spec)):
        return
    used = {port.get("nodePort") for port in ports} & set(before.values())
    for port in ports:
        kept = before.get(port.get("name"))
        if kept is not None and kept not in used:
            port.setdefault("nodePort", kept)


def _possible_families(
    sides: Comparison, spec: Struct, *, headless: bool
) -> list[list[str]]:
    """Return which families the server may have written: ``initIPFamilyFields``.

    The first range is the server's own secret where there are ranges of both families.
    """
    configured = {_NAMES[network.version] for network in sides.facts.service_cidrs}
    said = spec.get("ipFamilies") or [
        family for ip in spec.get("clusterIPs", []) for family in _family(ip)
    ]
    starts = [said] if said else [[family] for family in configured or _OTHER]
    if spec["ipFamilyPolicy"] == "SingleStack":
        return starts
    grown = [[*start, _OTHER.get(start[0], "")][:2] for start in starts]
    if headless and not spec.get("selector"):
        return grown
    kept = sides.old_spec().get("ipFamilyPolicy") == spec["ipFamilyPolicy"]
    return ([] if len(configured) < len(_OTHER) else grown) + (
        starts if kept or len(configured) < len(_OTHER) else []
    )


def _family(address: Value) -> Iterator[str]:
    try:
        yield _NAMES[ip_address(address).version]
    except ValueError:
        return


def _addresses(
    sides: Comparison, spec: Struct, seen: Struct, *, headless: bool
) -> None:
    """Accept an address of the cluster's ranges for each family that has none yet."""
    if headless:
        spec.setdefault("clusterIP", "None")
        spec.setdefault("clusterIPs", ["None"])
        return
    said, shown = spec.get("clusterIPs", []), seen.get("clusterIPs", [])
    if len(shown) != len(spec["ipFamilies"]) or shown[: len(said)] != said:
        return
    added = zip(shown[len(said) :], spec["ipFamilies"][len(said) :], strict=True)
    if all(_in_ranges(sides, ip, family) for ip, family in added):
        spec["clusterIPs"] = shown
        spec.setdefault("clusterIP", shown[0])


def _in_ranges(sides: Comparison, address: Value, family: str) -> bool:
    return [family] == list(_family(address)) and any(
        ip_address(address) in network for network in sides.facts.service_cidrs
    )


def _node_ports(sides: Comparison, spec: Struct, seen: Struct) -> None:
    """Accept node ports of the range where the type asks for some: initNodePorts.

    A Service is created with one node port for all ports of the same number, as of TCP
    and UDP; ports that are added later get their own.
    """
    ports = spec.get("ports", [])
    shared = {p.get("port"): p["nodePort"] for p in ports[::-1] if "nodePort" in p}
    for port, shown in zip(ports, seen.get("ports", []), strict=False):
        if sides.old is None and port.get("port") in shared:
            port.setdefault("nodePort", shared[port["port"]])
        elif _in_port_range(sides, shown.get("nodePort")):
            port.setdefault("nodePort", shown["nodePort"])
            shared[port.get("port")] = port["nodePort"]


def _wants_health_check(spec: Struct) -> bool:
    """``NeedsHealthCheck`` in pkg/api/service/util.go."""
    return (
        spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    )


def _in_port_range(sides: Comparison, port: Value) -> bool:
    ports = sides.facts.node_ports
    dummies = range(ports.stop, ports.stop + _DUMMY_PORTS if sides.dry_run else 0)
    return type(port) is int and (port in ports or port in dummies)
