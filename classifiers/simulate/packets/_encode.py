"""Shared parts of the packet writers: records that fit a schema, Avro containers, stamps as FITS files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import md5
from importlib.resources import files
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from broker_adapters.records import Detections, Kind

_ZERO: Mapping[str, Any] = {"boolean": False, "int": 0, "long": 0, "float": 0.0, "double": 0.0, "string": "", "bytes": b""}

Stamps = NDArray[np.float32]


@lru_cache(maxsize=8)
def schema(name: str) -> dict[str, Any]:
    """Parse the schema in ``schemas/<name>.json``."""
    text = files("classifiers.simulate.packets").joinpath(f"schemas/{name}.json").read_text()
    parsed: dict[str, Any] = fastavro.parse_schema(json.loads(text))
    return parsed


def record_of(node: Any, field: str) -> dict[str, Any]:
    """The record that a field of a record holds, also within a union or an array.

    Raises
    ------
    LookupError
        The field holds none.
    """
    found = _record(next(f["type"] for f in node["fields"] if f["name"] == field))
    if found is None:
        raise LookupError(f"{field} is no record")
    return found


def _record(node: Any) -> dict[str, Any] | None:
    if isinstance(node, list):
        return next((r for r in map(_record, node) if r is not None), None)
    if isinstance(node, dict) and node["type"] == "array":
        return _record(node["items"])
    return node if isinstance(node, dict) else None


def fill(node: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a record of a schema from values; missing ones and NaN become null where allowed, else zero or empty.

    Raises
    ------
    ValueError
        The schema has no such field.
    """
    types = {f["name"]: f["type"] for f in node["fields"]}
    if unknown := set(values) - set(types):
        raise ValueError(f"{node['name']} has no fields {sorted(unknown)}")
    return {name: _fitting(values.get(name), kind) for name, kind in types.items()}


def _fitting(value: Any, kind: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    branches = kind if isinstance(kind, list) else [kind]
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None if "null" in branches else _ZERO.get(branches[0]) if value is None else value
    return int(value) if "long" in branches or "int" in branches else value


def container(parsed: Mapping[str, Any], record: Mapping[str, Any]) -> bytes:
    """Write an uncompressed Avro container of one record; the same record gives the same bytes."""
    stream = BytesIO()
    marker = md5(repr(sorted(record)).encode(), usedforsecurity=False).digest()
    fastavro.writer(stream, parsed, [record], codec="null", sync_marker=marker)
    return stream.getvalue()


def split(rows: Detections, survey: str) -> tuple[Detections, Detections, Detections, Detections]:
    """Split rows into the triggering one (shape (1,)), earlier detections, forced photometry and limits, each in time order.

    Raises
    ------
    ValueError
        There is no detection, or rows of another survey.
    """
    if not len(rows) or set(rows["survey"].tolist()) != {survey}:
        raise ValueError(f"rows of {sorted(set(rows['survey'].tolist()))} for a packet of {survey}")
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    alerts, forced, limits = (rows[rows["kind"] == kind] for kind in (Kind.ALERT, Kind.FORCED, Kind.LIMIT))
    if not len(alerts):
        raise ValueError("no detection that could raise an alert")
    return alerts[-1:], alerts[:-1], forced, limits


def image_file(image: NDArray[np.float32], *extensions: tuple[str, NDArray[Any]], compress: bool) -> bytes | None:
    """Write a FITS file of an image and of named extensions, gzipped or not; None for an image of NaN alone."""
    if np.isnan(image).all():
        return None
    stream = BytesIO()
    hdus = [fits.PrimaryHDU(image.astype(np.float32)), *(fits.ImageHDU(data, name=name) for name, data in extensions)]
    fits.HDUList(hdus).writeto(stream)
    return gzip.compress(stream.getvalue(), mtime=0) if compress else stream.getvalue()


def cutouts(stamps: Stamps | None, stem: str) -> dict[str, Any]:
    """The three cutout fields of ZTF and ATLAS: records of a file name and gzipped FITS, null for a missing one."""
    fields: dict[str, Any] = {"cutoutScience": None, "cutoutTemplate": None, "cutoutDifference": None}
    for name, image in zip(fields, () if stamps is None else stamps, strict=False):
        data = image_file(image, compress=True)
        fields[name] = None if data is None else {"fileName": f"{stem}_{name.removeprefix('cutout').lower()}.fits.gz", "stampData": data}
    return fields
