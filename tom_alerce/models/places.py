"""Terms and visibility of the places of one ranking, packed together: as text in each row they would take two kilobytes a place.

The reasons of a term resemble one another, and so do the altitudes of neighbouring times: compressed together they take some 200 bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Unit of stored angles, degrees: finer than a pixel of the figures, and 16 bits reach from -327 to 327 degrees.
_UNIT = 0.01
#: Stored for an angle that is not known.
_UNKNOWN = np.iinfo("<i2").min


@dataclass(frozen=True)
class Places:
    """What led to the n places of a ranking, best first.

    Attributes
    ----------
    scores : dict of term name to ndarray of float32, shape (n,)
        In [0, 1].
    reasons : dict of term name to sequence of str, length n
    times : ndarray, shape (t,)
        MJD, UTC.
    moon_altitude : ndarray, shape (t,)
        Degrees.
    altitude : ndarray, shape (n, t)
        Degrees.
    moon_separation : ndarray, shape (n,)
        Degrees, in the middle of the night; NaN without a night.
    vetoes : dict of veto name to dict of place, counted from 1, to reason and date
        Those that are against it alone; the date is MJD, UTC, None where none is known.
    """

    scores: Mapping[str, NDArray[np.float32]]
    reasons: Mapping[str, Sequence[str]]
    times: NDArray[np.float64]
    moon_altitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    moon_separation: NDArray[np.float64]
    vetoes: Mapping[str, Mapping[int, tuple[str, float | None]]] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Bytes for the table: a line of JSON with the shape and the reasons, then the arrays, compressed."""
        n, t = self.altitude.shape
        head = {"n": n, "t": t, "reasons": {name: list(own) for name, own in self.reasons.items()}, "vetoes": self.vetoes}
        text = json.dumps(head).encode()
        altitude = _stored(self.altitude)
        altitude[:, 1:] = np.diff(altitude, axis=1)
        scores = [np.asarray(self.scores[name], "<f4") for name in self.reasons]
        arrays = [np.asarray(self.times, "<f8"), _stored(self.moon_altitude), altitude.T, _stored(self.moon_separation), *scores]
        return zlib.compress(text + b"\n" + b"".join(array.tobytes() for array in arrays), 9)

    @classmethod
    def unpack(cls, packed: bytes) -> Places:
        """The places that `pack` packed; none from no bytes."""
        if not packed:
            return NO_PLACES
        text, _, rest = zlib.decompress(packed).partition(b"\n")
        head = json.loads(text)
        n, t, reasons = head["n"], head["t"], head["reasons"]
        arrays: list[NDArray[Any]] = []
        for dtype, size in [("<f8", t), ("<i2", t), ("<i2", t * n), ("<i2", n), *[("<f4", n)] * len(reasons)]:
            array = np.frombuffer(rest, dtype, size)
            arrays.append(array)
            rest = rest[array.nbytes :]
        times, moon, altitude, separation, *scores = arrays
        return cls(
            dict(zip(reasons, scores, strict=True)),
            reasons,
            times,
            _degrees(moon),
            _degrees(np.cumsum(altitude.reshape(t, n).T, axis=1, dtype="<i2")),
            _degrees(separation),
            {name: {int(i): (text, until) for i, (text, until) in own.items()} for name, own in head.get("vetoes", {}).items()},
        )

    def vetoed(self, place: int) -> dict[str, dict[str, Any]]:
        """Veto -> ``reason`` and ``until`` (MJD, UTC; None where no date is known) of those that are against a place, counted from 1."""
        return {name: dict(zip(("reason", "until"), own[place], strict=True)) for name, own in self.vetoes.items() if place in own}

    def terms(self, place: int, weights: Mapping[str, float]) -> dict[str, dict[str, Any]]:
        """Term -> ``score``, ``weight`` and ``reason`` of a place, counted from 1; empty if nothing is known about it."""
        i = place - 1
        return {
            name: {"score": float(f"{self.scores[name][i]:.6g}"), "weight": float(weights.get(name, 0.0)), "reason": own[i]}
            for name, own in self.reasons.items()
            if 0 <= i < len(own)
        }

    def visibility(self, place: int) -> dict[str, Any]:
        """Night of a place, counted from 1, as plain lists."""
        known = 0 < place <= len(self.altitude) and len(self.times) > 0
        if not known:
            return {"times": [], "altitude": [], "moon_altitude": [], "moon_separation": None}
        separation = float(self.moon_separation[place - 1])
        return {
            "times": self.times.tolist(),
            "altitude": np.round(self.altitude[place - 1], 2).tolist(),
            "moon_altitude": np.round(self.moon_altitude, 2).tolist(),
            "moon_separation": round(separation, 1) if np.isfinite(separation) else None,
        }


NO_PLACES = Places({}, {}, np.empty(0), np.empty(0), np.empty((0, 0)), np.empty(0))


def _stored(degrees: NDArray[np.float64]) -> NDArray[np.int16]:
    known = np.isfinite(degrees)
    return np.where(known, np.round(np.where(known, degrees, 0.0) / _UNIT), _UNKNOWN).astype("<i2")


def _degrees(stored: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.where(stored == _UNKNOWN, np.nan, stored * _UNIT)
