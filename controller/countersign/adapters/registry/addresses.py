"""Which addresses a registry may have.

A name decides nothing: whoever owns it lets it resolve to what he likes, and to something
else the next time. So the address is judged at the moment of connecting, every time.
Private networks are not refused: registries live there.
"""

import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
AddrInfo = tuple[int, int, int, str, tuple[str | int | bytes, ...]]

_REFUSED: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host, RFC 1122
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local; the clouds' metadata: .169.254, .170.2, ...
            "100.100.100.200/32",  # metadata of Alibaba Cloud
            "168.63.129.16/32",  # Azure's host agent
            "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
            "::/128",  # unspecified
            "::1/128",  # loopback
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local, deprecated
            "ff00::/8",  # multicast
            "fd00:ec2::/32",  # metadata of AWS
            "fd00:c1::/32",  # metadata of Oracle Cloud
            "fd20:ce::/32",  # metadata of Google Cloud
            "fd00:42::/32",  # metadata of Scaleway
            "2001::/32",  # Teredo: another address in disguise
        ),
    )
)

# Prefixes behind which an IPv4 address is reached, and where in the bits it is.
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 2765
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215: prefixes of any length in it
_PLACES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12))  # of bytes, RFC 6052, 2.2
_NOWHERE = IPv4Network("0.0.0.0/8")  # what those places hold where it is in none


class RefusedAddressError(OSError):
    """A name that resolves to where no registry may be."""


def refused(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Tell whether an address may not be reached.

    Args:
        address: What is about to be connected to.
        allowed: Networks in which all may.
    """
    if any(_within(address, network) for network in allowed):
        return False
    if any(_within(address, network) for network in _REFUSED):
        return True
    return any(refused(inner, allowed) for inner in _inner(address))


def guard(
    info: AddrInfo, allowed: Sequence[Network], *, only_allowed: bool
) -> socket.socket:
    """Make a socket for an address that may be reached.

    Args:
        info: As ``getaddrinfo`` tells it.
        allowed: Networks in which all may be reached.
        only_allowed: Nothing else may.

    Raises:
        RefusedAddressError: it may not be reached.
    """
    family, kind, protocol, _, where = info
    address = ip_address(str(where[0]).partition("%")[0])
    inside = any(_within(address, network) for network in allowed)
    if refused(address, allowed) or (only_allowed and not inside):
        raise RefusedAddressError(f"{address} may not be a registry's address")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)  # noqa: FBT003 - its only parameter has no name
    return made


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _inner(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address may lead to."""
    if isinstance(address, IPv4Address):
        return []
    if inner := address.ipv4_mapped or address.sixtofour:
        return [inner]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        packed = address.packed
        others = [IPv4Address(bytes(packed[i] for i in at)) for at in _PLACES]
        return [last, *(other for other in others if other not in _NOWHERE)]
    within = any(address in net for net in (_COMPATIBLE, _TRANSLATED, _NAT64))
    return [last] if within else []
