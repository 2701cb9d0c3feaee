"""Features of the metadata of an alert: differences, ratios and colours, which depend little on depth or season.

The model uses no position, no time, no depth of the night, and no count of visits (see ``preprocess.FIELDS``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from classifiers.models.stamp.preprocess import Floats

#: A reference source within this many pixels lies under the detection (ALeRCE uses 1.4 for photometry).
UNDER = 2.0
#: ZTF pixels in arcsec: ``distnr`` is in pixels, catalogue distances in arcsec.
PIXEL = 1.01

Columns = Mapping[str, Floats]


def _plain(name: str) -> Callable[[Columns], Floats]:
    return lambda m: m[name]


def _log(name: str) -> Callable[[Columns], Floats]:
    return lambda m: np.log(m[name] + 0.1)


def _minus(a: str, b: str) -> Callable[[Columns], Floats]:
    return lambda m: m[a] - m[b]


def _amplitude(m: Columns) -> Floats:
    """Natural log of |difference flux| over reference flux, of a source with a reference under it."""
    return np.where(m["distnr"] < UNDER, 0.4 * np.log(10) * (m["magnr"] - m["magpsf"]), np.nan)


def _brightening(m: Columns) -> Floats:
    return np.where(m["isdiffpos"] > 0, _amplitude(m), np.nan)


def _colour(m: Columns) -> Floats:
    """Mean of the catalogue colours of the nearest object in units of those of a G star: the variability between bands averages out."""
    colours = np.stack([(m["sgmag1"] - m["srmag1"]) / 0.6, (m["srmag1"] - m["simag1"]) / 0.3, (m["simag1"] - m["szmag1"]) / 0.15])
    known = np.isfinite(colours)
    return np.where(known.any(axis=0), np.where(known, colours, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)


def _reference_minus_catalogue(m: Columns) -> Floats:
    difference: Floats = m["magnr"] - np.where(m["fid"] == 1, m["sgmag1"], m["srmag1"])
    return difference


def _offset(name: str) -> Callable[[Columns], Floats]:
    """Log of the distance between the reference source and the nearest catalogue source, from their distances to the alert."""
    return lambda m: np.log(np.abs(m[name] - PIXEL * m["distnr"]) + 0.1)


#: Name -> function of the fields, shape (n,); NaN = unknown.
FEATURES: Mapping[str, Callable[[Columns], Floats]] = MappingProxyType(
    {
        name: _plain(name)
        for name in (
            "sgscore1", "sgscore2", "sgscore3", "fwhm", "magpsf", "magnr", "sigmagnr", "classtar", "chinr", "sharpnr", "elong", "magdiff",
            "aimage", "bimage", "nbad", "nneg", "sumrat", "maggaiabright", "isdiffpos",
        )
    }
    | {
        f"log {name}": _log(name)
        for name in ("distpsnr1", "distpsnr2", "distpsnr3", "distnr", "neargaia", "neargaiabright", "nmtchps", "ndethist")
    }
    | {
        "g-r": _minus("sgmag1", "srmag1"),
        "r-i": _minus("srmag1", "simag1"),
        "i-z": _minus("simag1", "szmag1"),
        "g-i": _minus("sgmag1", "simag1"),
        "r-z": _minus("srmag1", "szmag1"),
        "g-z": _minus("sgmag1", "szmag1"),
        "colour": _colour,
        "second g-r": _minus("sgmag2", "srmag2"),
        "amplitude": _amplitude,
        "brightening": _brightening,
        "magpsf - magnr": _minus("magpsf", "magnr"),
        "diffmaglim - magpsf": _minus("diffmaglim", "magpsf"),
        "magap - magpsf": _minus("magap", "magpsf"),
        "reference - catalogue": _reference_minus_catalogue,
        "Gaia - catalogue": _minus("maggaia", "srmag1"),
        "Gaia offset": _offset("neargaia"),
        "catalogue offset": _offset("distpsnr1"),
    }
)  # fmt: skip


#: Features that simulated alerts have too: no colours, no Gaia, no shapes of the source extraction.
SIMULATED = (
    "sgscore1", "sgscore2", "sgscore3", "fwhm", "magpsf", "magnr", "sigmagnr", "classtar", "chinr", "sharpnr", "isdiffpos", "log distpsnr1",
    "log distpsnr2", "log distpsnr3", "log distnr", "log ndethist", "amplitude", "brightening", "magpsf - magnr", "diffmaglim - magpsf",
    "catalogue offset",
)  # fmt: skip


def features(metadata: Columns, names: Iterable[str] = FEATURES) -> NDArray[np.float32]:
    """Matrix of shape (n, k), a column for each requested name of `FEATURES`; NaN = unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([FEATURES[name](metadata) for name in names], axis=1).astype(np.float32)
