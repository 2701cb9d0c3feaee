"""Bytes of Rubin's alert packets: Avro containers, and the Confluent wire format of the stream, with the schemas that it needs.

The wire format (byte 0, four bytes of schema id = 100 x major + minor, one datum) needs the writer's schema from elsewhere:
``schemas/lsst/<version>.json`` holds names and types of the schemas that the package ``lsst-alert-packet`` publishes, and a newer
release of that package, where installed, provides newer versions.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from broker_adapters import avro
from broker_adapters.errors import PacketError

_WIRE = 5  #: bytes before the datum


def decoded(packet: bytes, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The record in a packet, in either format; the fields in ``without`` are skipped.

    Raises
    ------
    PacketError
        The bytes cannot be decoded, or it is a simulated packet of ELAsTiCC, without Rubin's ids and zero point.
    """
    if packet[:1] == b"\0":
        if not _WIRE < len(packet) <= avro.MAX_PACKET:
            raise PacketError(f"{len(packet)} bytes are no alert in the Confluent wire format")
        number = int.from_bytes(packet[1:_WIRE], "big")
        return avro.datum(packet[_WIRE:], schema(f"{number // 100}.{number % 100}"), without)
    known = avro.fields(packet).get("diaSource", frozenset())
    if "psFlux" in known or "psfFlux" not in known:
        raise PacketError("a simulated (ELAsTiCC) or early packet: its ids and fluxes are not those of LSST alerts since schema 7")
    return avro.read(packet, without)


@lru_cache(maxsize=32)
def schema(version: str) -> avro.Schema:
    """The writer's schema of a version such as ``'11.1'``.

    Raises
    ------
    PacketError
        Neither we nor an installed ``lsst-alert-packet`` know it.
    """
    own = files("broker_adapters.surveys").joinpath(f"schemas/lsst/{version}.json")
    if own.is_file():
        return avro.parsed(own.read_bytes())
    published = _published(version)
    if published is None:
        raise PacketError(f"LSST alert schema {version} is not known; a newer lsst-alert-packet may have it")
    return avro.parsed(published)


def _published(version: str) -> str | None:
    """A schema out of the files of the package ``lsst-alert-packet``, which is not imported: it would load half of Rubin's stack."""
    try:
        spec = find_spec("lsst.alert.packet")
    except ModuleNotFoundError:
        return None
    major, _, minor = version.partition(".")
    for root in spec.submodule_search_locations or () if spec else ():
        folder = Path(root) / "schema" / major / minor
        parts = {p.name.removesuffix(".avsc"): json.loads(p.read_text()) for p in folder.glob("*.avsc")}
        top = f"lsst.v{major}_{minor}.alert"
        if top in parts:
            return json.dumps(_inlined(parts.pop(top), parts))
    return None


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """The schema with each type of another file put where it is first named."""
    if isinstance(node, str):
        return _inlined(parts.pop(node), parts) if node in parts else node
    if isinstance(node, list):
        return [_inlined(n, parts) for n in node]
    if isinstance(node, dict):
        return {k: _inlined(v, parts) if k in ("type", "items", "fields") else v for k, v in node.items()}
    return node
