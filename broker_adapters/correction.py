"""From difference to total brightness: the reference-flux correction of light curves, its two errors and its flags.

A survey's image is the science image minus a reference. Where a source of constant flux lies under the detection (`DETECTION` has a
``ref_flux``), its total flux is the sum of the two. As in ALeRCE's lc_correction 1.0 (Förster et al. 2021, AJ 161 242), but in flux
instead of magnitudes: with difference d ± s, reference r ± q and total t = r + d,

- magnitude ``31.4 - 2.5 log10 t``;
- error ``1.0857 sqrt(s² - q²) / t`` for a point source: the difference's error contains the reference's, which is taken out again;
- error ``1.0857 s / t`` for an extended source, or where one wants it never too small.

Where that code writes 100, negative reference magnitudes or infinities, the value is NaN here; its stellar range test, which a later
version has inverted, is the first one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import photometry
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import series, total_flux

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: A source of a catalogue this near, in its own unit (ZTF pixels, PS1 arcsec), is the one under the detection.
NEAR = 1.4
#: PS1's star-galaxy score of stars, and DAOPHOT's chi and sharpness of stars in ZTF's references.
STAR_SCORE, STAR_CHI, STAR_SHARPNESS = 0.4, 2.0, (-0.13, 0.1)


class Correction(NamedTuple):
    """Total magnitudes of n measurements, all shape (n,); NaN where there is no reference source or the total is not positive."""

    magnitude: Floats
    error: Floats  #: of a point source; NaN also where the reference is noisier than the difference
    error_extended: Floats
    #: There is a reference source under the measurement.
    corrected: Flags
    #: A fading without a source that could fade, or a reference source where the band's first measurement had none, or the reverse.
    dubious: Flags


def correct(rows: Detections, owner: ArrayLike | None = None) -> Correction:
    """Total magnitudes and flags of n rows of `DETECTION`.

    ``owner``, integers of shape (n,), tells whose each row is; without it all are of one object. What is "first" is so among rows of
    the same owner, survey, band and kind; a limit is never dubious.
    """
    return corrected(rows, series(rows, owner))


def corrected(rows: Detections, group: NDArray[np.intp]) -> Correction:
    """As `correct`, where the `series` of each row is known already."""
    flux, error, kind = rows["flux"], rows["flux_err"], rows["kind"]
    with np.errstate(divide="ignore", invalid="ignore"):
        total = total_flux(rows)
        total = np.where(total > 0.0, total, np.nan)
        scale = photometry.POGSON / total
        point = scale * np.sqrt(error**2 - rows["ref_flux_err"] ** 2)
    under = np.isfinite(rows["ref_flux"])
    changed = under != under[first(group * len(Kind) + kind, rows["mjd"])]
    dubious = (kind != Kind.LIMIT) & (changed | (~under & (flux < 0.0)))
    return Correction(photometry.magnitude_from_flux(total), point, scale * error, under, dubious)


def stellar(metadata: Mapping[str, Any]) -> Flags:
    """Whether the source under a detection is a star, from fields of a ZTF candidate (scalars, or arrays of one shape).

    By PS1's score where PS1 has a source as near as ZTF's reference, else by the shape of the latter: ``distnr``, ``distpsnr1``,
    ``sgscore1``, ``chinr``, ``sharpnr``. False where there is none.
    """
    distance, distance_ps1, score, chi, sharpness = (
        np.asarray(metadata.get(name, np.nan), float) for name in ("distnr", "distpsnr1", "sgscore1", "chinr", "sharpnr")
    )
    with np.errstate(invalid="ignore"):
        near, near_ps1 = ((d >= 0.0) & (d < NEAR) for d in (distance, distance_ps1))
        round_ = (chi < STAR_CHI) & (sharpness > STAR_SHARPNESS[0]) & (sharpness < STAR_SHARPNESS[1])
        star: Flags = near & np.where(near_ps1, score > STAR_SCORE, round_)
    return star


def first(group: NDArray[np.intp], mjd: Floats) -> NDArray[np.intp]:
    """For each row the index, shape (n,), of the earliest row of its group (a number from 0)."""
    order = np.lexsort((mjd, group))
    earliest: NDArray[np.intp] = order[np.searchsorted(group[order], np.arange(group.max(initial=-1) + 1))][group]
    return earliest
