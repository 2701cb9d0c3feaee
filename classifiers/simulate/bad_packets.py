"""Bad packets of a night: damaged, hostile or impossible ones, which readers must refuse."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from io import BytesIO

import fastavro

#: First bytes of a Confluent message with an unknown schema: version 99.99.
_UNKNOWN_SCHEMA = b"\x00" + (9999).to_bytes(4, "big")


def damaged(packet: bytes) -> Mapping[str, bytes]:
    """Damaged packets by name of the damage, made from one good packet."""
    middle = len(packet) // 2
    flipped = bytes(b ^ 0xFF for b in packet[middle : middle + 64])
    return {
        "truncated": packet[:middle],
        "flipped": packet[: len(packet) // 8] + flipped + packet[len(packet) // 8 + 64 :],
        "empty": b"",
        "not-a-packet": b"<html><body>502 Bad Gateway</body></html>",
        "other-schema": _other_schema(),
        "unknown-schema-version": _UNKNOWN_SCHEMA + packet[:200],
        "bomb": gzip.compress(bytes(8_000_000), mtime=0),
    }


def impossible(write: Callable[[Mapping[str, object]], bytes]) -> Mapping[str, bytes]:
    """Packets that decode but have impossible values; ``write`` makes a ZTF packet with other fields of its candidate."""
    return {
        "nan-position": write({"ra": float("nan"), "dec": float("nan")}),
        "nan-magnitude": write({"magpsf": float("nan")}),
        "unknown-filter": write({"fid": 9}),
        "off-the-sky": write({"dec": 95.0}),
        "unknown-sign": write({"isdiffpos": "?"}),
    }


def _other_schema() -> bytes:
    schema = {"type": "record", "name": "weather", "fields": [{"name": "humidity", "type": "float"}]}
    stream = BytesIO()
    fastavro.writer(stream, schema, [{"humidity": 0.4}], sync_marker=b"0123456789abcdef")
    return stream.getvalue()
