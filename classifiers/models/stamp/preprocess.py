"""Inputs of the stamp models from alerts or from a table of them, alike in training and in service.

A model takes the stamps of one survey, centred in 63 x 63 pixels (`Geometry`). An alert that cannot be an input (no cutouts, another
survey, another size, a missing image) is not `Inputs.usable`; its classification is a row of NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.cutouts import images
from broker_adapters.errors import PacketError
from broker_adapters.records import STAMPS, Alert, SkyObject
from broker_adapters.surveys import atlas, lsst, ztf

Images = NDArray[np.float32]
Floats = NDArray[np.float64]

#: Pixels per side of the networks' input, those of ZTF's cutouts; smaller ones are padded with NaN, larger ones are cut.
SIDE = 63
#: Side of the inner cutout that ALeRCE's networks, and our fine scale, use.
CROP = 21
#: Pixels beyond this are marks for "no data" (-3.4e38 in some packets): no ZTF detector counts so far.
MASKED = 1e6
#: Numbers at or below this are ZTF's marks for "none" (-999, -99999; schema 4.02).
SENTINEL = -998.0
#: Fields of ZTF's candidate that the models may look at. Not among them, since they tell the label and not the sky: ``ssdistnr``,
#: ``ssmagnr``, ``ssnamenr`` (asteroids' labels come from them), ``rb``, ``drb`` (bogus), positions, times, ids, ``ncovhist``,
#: ``diffmaglim`` by itself (tied to nights).
FIELDS = (
    "sgscore1", "sgscore2", "sgscore3", "distpsnr1", "distpsnr2", "distpsnr3", "sgmag1", "srmag1", "simag1", "szmag1", "sgmag2", "srmag2",
    "isdiffpos", "fid", "fwhm", "magpsf", "magap", "magdiff", "diffmaglim", "distnr", "magnr", "sigmagnr", "chinr", "sharpnr", "classtar",
    "elong", "aimage", "bimage", "nbad", "nneg", "sumrat", "neargaia", "maggaia", "neargaiabright", "maggaiabright", "nmtchps", "ndethist",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Geometry:
    """What one survey's cutouts are like.

    Attributes
    ----------
    survey : str
    images : tuple of int
        Which of science, template, difference it sends, as indices.
    sides : (int, int)
        Least and most pixels a side.
    """

    survey: str
    images: tuple[int, ...]
    sides: tuple[int, int]


#: Survey -> its geometry, for the surveys that there are models of: ZTF schema 4.02, ALeRCE's ATLAS schema 0.1, Rubin's DMTN-102 (at least
#: 30 pixels). Which images there are is the survey's fact, what sizes a model takes is the model's.
GEOMETRIES = MappingProxyType(
    {
        survey.name: Geometry(survey.name, tuple(STAMPS.index(name) for name in survey.stamps), sides)
        for survey, sides in ((ztf.SURVEY, (63, 63)), (atlas.SURVEY, (61, 61)), (lsst.SURVEY, (30, 128)))
    }
)
ZTF = GEOMETRIES["ztf"]

_POSITIVE = {"t": 1.0, "1": 1.0, "f": 0.0, "0": 0.0, "True": 1.0, "False": 0.0, "-1": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Inputs of the models, n alerts.

    Attributes
    ----------
    stamps : ndarray of float32, shape (n, c, 63, 63)
        Science, template, difference (or what the survey has of them) in its units, as they came: `known` says where there is data.
    metadata : mapping of str to ndarray, shape (n,)
        The fields `FIELDS` of ZTF; NaN = none.
    usable : ndarray of bool, shape (n,)
    """

    stamps: Images
    metadata: Mapping[str, Floats]
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.stamps)

    def take(self, rows: ArrayLike) -> Inputs:
        """Some of the alerts, by index or mask."""
        rows = np.asarray(rows)
        return Inputs(self.stamps[rows], {k: v[rows] for k, v in self.metadata.items()}, self.usable[rows])


def from_table(stamps: NDArray[Any], columns: Mapping[str, Any], fields: Sequence[str] = FIELDS) -> Inputs:
    """Inputs from stamps (n, c, 63, 63) and columns of the candidate's fields, each (n,); an absent column counts as missing."""
    n = len(stamps)
    metadata = {name: _numbers(name, columns[name]) if name in columns else np.full(n, np.nan) for name in fields}
    return Inputs(np.asarray(stamps, np.float32), metadata, known(stamps).any(axis=(2, 3)).all(axis=1))


def known(stamps: NDArray[Any]) -> NDArray[np.bool_]:
    """Mask of the pixels with data, in the shape of the stamps: neither NaN nor a mark for "no data"."""
    with np.errstate(invalid="ignore"):
        data: NDArray[np.bool_] = np.abs(stamps) < MASKED
    return data


def normalise(stamps: Images) -> tuple[Images, Floats, Floats]:
    """Normalise stamps (n, c, 63, 63) to units of noise above background, no data = 0; returned with background and noise, (n, c).

    Background and noise are the median and 1.4826 times the median absolute deviation of every second pixel of every second row.
    """
    stamps = np.where(known(stamps), stamps, np.float32(np.nan))
    sample = stamps[:, :, 1::2, 1::2].reshape(*stamps.shape[:2], -1)
    background = _median(sample)
    noise = 1.4826 * _median(np.abs(sample - background[..., None]))
    noise[noise == 0] = 1.0
    scaled = (stamps - background[..., None, None]) / noise[..., None, None]
    return np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0), background.astype(float), noise.astype(float)


def _median(values: Images) -> Images:
    """Lower median of the finite values along the last axis, 0 where there are none (NaN sorts last)."""
    ordered = np.sort(values, axis=-1)
    middle = np.maximum(np.isfinite(ordered).sum(axis=-1) - 1, 0) // 2
    return np.nan_to_num(np.take_along_axis(ordered, middle[..., None], -1)[..., 0])


def from_alerts(alerts: Sequence[Alert | None], fields: Sequence[str] = FIELDS, geometry: Geometry = ZTF) -> Inputs:
    """Inputs from alerts with their cutouts still encoded; None, another survey or other stamps give a row that is not usable."""
    stamps = np.full((len(alerts), len(geometry.images), SIDE, SIDE), np.nan, np.float32)
    for row, alert in enumerate(alerts):
        image = None if alert is None else _stamp(alert, geometry)
        if image is not None:
            stamps[row] = image
    columns = {name: [None if a is None else a.metadata.get(name) for a in alerts] for name in fields}
    return from_table(stamps, columns, fields)


def first_alert(sky_object: SkyObject, survey: str = ZTF.survey) -> Alert | None:
    """Earliest alert of the object in a survey that has cutouts: the one that stamp models classify."""
    return next((a for a in sky_object.alerts if a.survey == survey and a.cutouts is not None), None)


def laid(stamps: Images) -> Images:
    """Centre stamps (..., height, width) in (..., 63, 63): smaller ones are padded with NaN, larger ones are cut.

    The pixel (side - 1) // 2 of each axis becomes the centre.
    """
    if stamps.shape[-2:] == (SIDE, SIDE):
        return stamps
    frame = np.full((*stamps.shape[:-2], SIDE, SIDE), np.nan, np.float32)
    (y, from_y), (x, from_x) = (_overlap(side) for side in stamps.shape[-2:])
    frame[..., y, x] = stamps[..., from_y, from_x]
    return frame


def _overlap(side: int) -> tuple[slice, slice]:
    """Slices of the frame and of the cutout, along one axis, of the pixels that both have."""
    start = (SIDE - 1) // 2 - (side - 1) // 2
    low, high = max(start, 0), min(start + side, SIDE)
    return slice(low, high), slice(low - start, high - start)


def _stamp(alert: Alert, geometry: Geometry) -> Images | None:
    if alert.survey != geometry.survey or alert.cutouts is None:
        return None
    try:
        image = images(alert.cutouts)
    except PacketError:  # the alert was stored without looking at its stamps; a damaged one is a missing one
        return None
    least, most = geometry.sides
    if image is None or not all(least <= side <= most for side in image.shape[1:]):
        return None
    return laid(image[list(geometry.images)])


def _numbers(name: str, values: Iterable[Any]) -> Floats:
    """Floats of a column, NaN for None and for the survey's marks; ``isdiffpos`` is 1 where positive, 0 where negative."""
    column = np.asarray(values, dtype=object if name == "isdiffpos" else None)
    if name == "isdiffpos":
        return np.array([_POSITIVE.get(str(v), np.nan) for v in column], float)
    if column.dtype == object:
        column = np.array([v if isinstance(v, (int, float, np.number)) and not isinstance(v, bool) else np.nan for v in column.tolist()])
    numbers = column.astype(float)
    return np.where(np.isfinite(numbers) & (numbers > SENTINEL), numbers, np.nan)
