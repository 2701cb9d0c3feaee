"""Which machines the TOM may be sent to by an address that somebody has typed: none inside its own network, unless the settings say so."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from tom_alerce import conf

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(OSError):
    """The name leads to an address that is not to be asked."""


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host, which are to be connected to themselves, so that no second answer of a name server counts.

    Raises
    ------
    Forbidden
        Any of its addresses is of this machine, of a private or local network, or otherwise not of the public internet, and of none of the
        networks in ``TOM_ALERCE["NOTIFY"]["networks"]``.
    OSError
        It has no address.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if not public(text) and not own(text):
            raise Forbidden(f"{host} is an address inside a network, which the settings do not allow")
    return list(dict.fromkeys(found))


def public(text: str) -> bool:
    """Whether an address, and any that is written inside it, is one of the public internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in (address, *_inside(address)))


def own(text: str) -> bool:
    """Whether an address belongs to a network that the settings allow."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return any(address in ipaddress.ip_network(network) for network in conf.get("NOTIFY").get("networks", ()))


def _inside(address: Address) -> Iterator[Address]:
    """Addresses of version 4 to which a gateway would lead one of version 6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
