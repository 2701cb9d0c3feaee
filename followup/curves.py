"""Light curves of n objects as flat columns, so that all are reduced in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.kernels import compiled
from broker_adapters.records import Detections

Array = NDArray[np.float64]
Codes = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Measurements of n objects, those of one object side by side, in any order.

    Attributes
    ----------
    start : ndarray of int64, shape (n + 1,)
        Rows ``start[i]`` to ``start[i + 1]`` are of object i.
    mjd, flux, flux_err, ref_flux : ndarray, shape (m,)
        As in `broker_adapters.records.DETECTION`.
    kind : ndarray of uint8, shape (m,)
    survey, band : ndarray of uint16, shape (m,)
        Places in ``surveys`` and ``bands``.
    surveys, bands : tuple of str
    """

    start: NDArray[np.int64]
    mjd: Array
    flux: Array
    flux_err: Array
    ref_flux: Array
    kind: NDArray[np.uint8]
    survey: Codes
    band: Codes
    surveys: tuple[str, ...]
    bands: tuple[str, ...]

    @classmethod
    def of(cls, detections: Sequence[Detections]) -> Curves:
        """The columns of these light curves, one an object."""
        start = np.zeros(len(detections) + 1, np.int64)
        np.cumsum([len(rows) for rows in detections], out=start[1:])
        survey, surveys = _codes(detections, "survey")
        band, bands = _codes(detections, "band")
        mjd, flux, flux_err, ref_flux = (_column(detections, name) for name in ("mjd", "flux", "flux_err", "ref_flux"))
        kind = np.concatenate([np.empty(0, np.uint8), *(rows["kind"] for rows in detections)])
        return cls(start, mjd, flux, flux_err, ref_flux, kind, survey, band, surveys, bands)


def _column(detections: Sequence[Detections], name: str) -> Array:
    return np.concatenate([np.empty(0), *(rows[name] for rows in detections)])


def _codes(detections: Sequence[Detections], name: str) -> tuple[Codes, tuple[str, ...]]:
    """A small number for each text of a column, and the texts."""
    texts = np.concatenate([np.empty(0, "U1"), *(rows[name] for rows in detections)])
    letters = texts.view(np.uint32).reshape(len(texts), texts.itemsize // 4)
    codes, first = _number(np.ascontiguousarray(letters))
    return codes, tuple(texts[first].tolist())


@compiled()
def _number(rows: NDArray[np.uint32]) -> tuple[Codes, NDArray[np.int64]]:
    """Number of each distinct row, in the order of their first appearance, and where that is: sorting texts takes far longer."""
    codes = np.empty(len(rows), np.uint16)
    first = np.empty(min(len(rows), 65_535), np.int64)
    known = 0
    for i in range(len(rows)):
        code = 0
        while code < known and not (rows[i] == rows[first[code]]).all():
            code += 1
        if code == known:
            first[known] = i
            known += 1
        codes[i] = code
    return codes, first[:known]
