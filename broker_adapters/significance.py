"""Detected, significant, one exposure, total or difference flux: the one place that says what each means (docs/decisions/015).

All functions take rows of `DETECTION`, shape (n,), in any order. Four questions have four answers, each for a reason:

====================  ==========================  ==================================================================================
function              asked by                    what counts
====================  ==========================  ==================================================================================
`alerts`              counts, promotion rules,    the survey raised an alert, whatever we think of it; ``n_detections`` of the tables
                      magnitude statistics        counts each exposure once (`first_of_exposure`)
`detected`            ranking, plan, pages        an alert, or forced photometry of `DETECTED` sigma; a negative one counts only
                                                  where an alert has been negative too, else it is a bad subtraction
`detected_reliably`   light-curve classifier      as it was trained: alerts of at least `RELIABLE`, forced photometry of `DETECTED`
                                                  sigma of either sign, and only rows of which flux and error are usable
`significant`,        figures, target photometry  any flux of `SHOWN` sigma counts; forced photometry below it is drawn as a limit, and so
`insignificant`                                   is an alert below `MEASURED`. Three sigma is what the ZTF forced-photometry guide draws: a
                                                  person judges the points
====================  ==========================  ==================================================================================

Total flux is the flux of the reference source plus the difference. Which of the two a magnitude is of:

===========================  =======================  ===========================================================================
function                     asked by                 answer
===========================  =======================  ===========================================================================
`total_flux`                 corrected light curves,  row by row, wherever a reference flux is known
                             statistics, figures
`seen_by_totals`             ranking, plan            one answer for an object: totals if it has been fainter than its reference,
                                                      since such a source varies about it and a telescope sees the whole
`surveys_in_totals`          light-curve classifier   one answer for each survey, as in ALeRCE's features: a catalogued reference
                                                      source under most detections makes them totals
===========================  =======================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.records import Detections, Kind

Mask = NDArray[np.bool_]

#: Sigma from which forced photometry is a detection, and of which limits are given: the surveys' own threshold for an alert.
DETECTED = 5.0
#: Sigma from which a figure draws forced photometry as a point (SNT of the ZTF Science Data System's forced photometry).
SHOWN = 3.0
#: Sigma from which a flux has a magnitude: Rubin sends alerts of dipoles whose own signal is large and whose flux is next to 0.
MEASURED = 2.0
#: Real-bogus score below which ALeRCE drops a detection (Sanchez-Saez et al. 2021, sec. 2.2).
RELIABLE = 0.55
#: Days (8.6 s): rows of one survey and band that are nearer in time are of one exposure. Brokers round times to 1e-5 d, and no survey
#: begins another exposure of a field within 30 s.
SAME_EXPOSURE = 1e-4


def alerts(rows: Detections) -> Mask:
    """Rows for which the survey raised an alert, shape (n,)."""
    mask: Mask = rows["kind"] == Kind.ALERT
    return mask


def significant(rows: Detections, sigma: float = DETECTED) -> Mask:
    """Rows whose flux, of either sign, is at least ``sigma`` times its error, shape (n,); False where either is NaN."""
    with np.errstate(invalid="ignore"):
        mask: Mask = np.abs(rows["flux"]) >= sigma * rows["flux_err"]
    return mask


def insignificant(rows: Detections, sigma: float = SHOWN) -> Mask:
    """Forced photometry below ``sigma`` and alerts below `MEASURED`, shape (n,): no magnitude; False where flux or error is NaN."""
    least = np.where(rows["kind"] == Kind.FORCED, sigma, MEASURED)
    with np.errstate(invalid="ignore"):
        mask: Mask = np.abs(rows["flux"]) < least * rows["flux_err"]
    return mask


def detected(rows: Detections) -> Mask:
    """Detections of one object as the ranking reads them, shape (n,): alerts, and forced photometry of `DETECTED` sigma.

    Forced photometry below the reference counts only where an alert has been below it too. Otherwise it is a bad subtraction, or what a
    supernova that shines in the reference leaves when it is gone.
    """
    forced = (rows["kind"] == Kind.FORCED) & significant(rows)
    with np.errstate(invalid="ignore"):
        if not (alerts(rows) & (rows["flux"] < 0.0)).any():
            forced &= rows["flux"] >= 0.0
    mask: Mask = (alerts(rows) | forced) & np.isfinite(rows["flux"]) & np.isfinite(rows["mjd"])
    return mask


def detected_reliably(rows: Detections) -> Mask:
    """Detections as the light-curve classifier was trained on, shape (n,): reliable alerts, and forced photometry of `DETECTED` sigma."""
    alert = alerts(rows) & ~(rows["reliability"] < RELIABLE)
    forced = (rows["kind"] == Kind.FORCED) & significant(rows)
    flux, error = rows["flux"], rows["flux_err"]
    usable = np.isfinite(rows["mjd"]) & np.isfinite(flux) & (flux != 0) & np.isfinite(error) & (error >= 0)
    mask: Mask = (alert | forced) & usable
    return mask


def one_per_exposure(rows: Detections) -> Detections:
    """One row per exposure of each survey and band, in time order: of several that whose kind is least, an alert before forced photometry.

    Times must be finite; the result has shape (m,), m ≤ n.
    """
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    if not (np.diff(rows["mjd"]) <= SAME_EXPOSURE).any():
        return rows
    number = series(rows, None)
    order = np.argsort(number, kind="stable")
    rows, number = rows[order], number[order]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows["mjd"]) > SAME_EXPOSURE) | (np.diff(number) != 0)
    rows = rows[np.lexsort((rows["kind"], np.cumsum(new)))][new]
    ordered: Detections = rows[np.argsort(rows["mjd"], kind="stable")]
    return ordered


def first_of_exposure(rows: Detections, owner: ArrayLike | None = None) -> Mask:
    """The first row in time of each exposure of an owner, survey and band, shape (n,): two sources in one exposure are one detection."""
    order, new = _by_exposure(rows, owner)
    mask = np.empty(len(rows), bool)
    mask[order] = new
    return mask


def exposures(rows: Detections, owner: ArrayLike | None = None) -> NDArray[np.intp]:
    """A number for each row, shape (n,), from 0 on, the same for rows of one exposure of an owner, survey and band."""
    order, new = _by_exposure(rows, owner)
    number = np.empty(len(rows), np.intp)
    number[order] = np.cumsum(new) - 1
    return number


def _by_exposure(rows: Detections, owner: ArrayLike | None) -> tuple[NDArray[np.intp], Mask]:
    """Order of rows by series and time, shape (n,), and which of them, in that order, are the first of an exposure."""
    number = series(rows, owner)
    order = np.lexsort((rows["mjd"], number))
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows["mjd"][order]) > SAME_EXPOSURE) | (np.diff(number[order]) != 0)
    return order, new


def points(rows: Detections) -> Detections:
    """Rows that are shown or published, shape (m,), m ≤ n, in their order: of each kind one per exposure of a survey and band."""
    return rows[first_of_exposure(rows, rows["kind"])]


def series(rows: Detections, owner: ArrayLike | None) -> NDArray[np.intp]:
    """A number for each row, shape (n,), the same for rows of one owner, survey and band, and in their order, counting from 0."""
    code = np.zeros(len(rows), np.intp)
    for column in (code if owner is None else np.asarray(owner), rows["survey"], rows["band"]):
        if (column == column[:1]).all():  # nearly always so for the survey: sorting is what costs
            continue
        values, number = np.unique(column, return_inverse=True)
        code = np.unique(code * len(values) + number, return_inverse=True)[1] if code.any() else number
    return code


def total_flux(rows: Detections) -> NDArray[np.float64]:
    """Flux in nJy of the reference source and the difference together, shape (n,); NaN where either is not known."""
    total: NDArray[np.float64] = rows["flux"] + rows["ref_flux"]
    return total


def seen_by_totals(rows: Detections) -> bool:
    """Whether magnitudes of one object's detections are of the total flux: where it is known and one detection is below the reference."""
    return bool((rows["flux"] < 0.0).any() and np.isfinite(total_flux(rows)).any())


def surveys_in_totals(rows: Detections, catalogued: Collection[str]) -> tuple[str, ...]:
    """Surveys whose magnitudes of one object's detections are of the total flux, sorted; without any, all are of the difference.

    ``catalogued`` names the surveys whose reference flux is that of a catalogued source. A catalogue that has none here says that nothing
    lay there: then no magnitude is a total. A template's flux, be it of a star or of the host of a supernova, counts only for an object
    that has been seen below its reference, and speaks against totals otherwise. A survey without either cannot say, and has no magnitudes
    beside those that can.
    """
    surveys = tuple(sorted(set(rows["survey"].tolist())))
    below = bool(((rows["flux"] < 0) & alerts(rows)).any())
    known = {s: bool(np.isfinite(rows["ref_flux"][rows["survey"] == s]).mean() > 0.5) for s in surveys}
    totals = tuple(s for s in surveys if known[s] and (below or s in catalogued))
    silent = tuple(s for s in surveys if not known[s] and s not in catalogued)
    return totals if len(totals) + len(silent) == len(surveys) else ()
