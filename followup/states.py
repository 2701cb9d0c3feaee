"""What n light curves say at a moment, as columns: brightness, trend, age and how often each was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from followup.curves import Curves
from followup.reduction import COUNTS, NUMBERS, reduced
from followup.trends import History, Trend

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class States:
    """State of n light curves at ``moment`` (MJD, UTC), from what was measured until then.

    Attributes
    ----------
    moment : float
    numbers : ndarray, shape (n, 9)
        Columns `followup.reduction.NUMBERS`: MJD and difference flux (nJy) of the first detection; MJD of the latest detection with a known
        magnitude, this magnitude (AB), the magnitude at ``moment``, slope and its error (mag/d), error of the magnitude; days from
        the latest look that would have shown it as bright as at the first detection to that. NaN where not known.
    counts : ndarray of int64, shape (n, 8)
        Columns `followup.reduction.COUNTS`: detections, each exposure once; those an hour apart; nights; places in ``bands`` of the first
        and the latest band, in ``known`` of the latest survey; whether magnitudes are of the total flux; whether
        anything was measured later.
    surveys : ndarray of uint64, shape (n,)
        Bits of the places in ``known`` of the surveys that detected it.
    times : ndarray
        MJD of all detections, object by object.
    known, bands : tuple of str
    """

    moment: float
    numbers: Floats
    counts: NDArray[np.int64]
    surveys: NDArray[np.uint64]
    times: Floats
    known: tuple[str, ...]
    bands: tuple[str, ...]

    @classmethod
    def of(cls, curves: Curves, moment: float) -> States:
        """The states of these light curves."""
        return cls(moment, *reduced(curves, moment), curves.surveys, curves.bands)

    @classmethod
    def joined(cls, parts: Sequence[States], moment: float) -> States:
        """The states of several sets of light curves, one after the other."""
        if len(parts) == 1:
            return parts[0]
        known = tuple(sorted({name for part in parts for name in part.known}))
        bands = tuple(sorted({name for part in parts for name in part.bands}))
        numbers = np.concatenate([np.empty((0, len(NUMBERS))), *(part.numbers for part in parts)])
        counts = np.concatenate([np.empty((0, len(COUNTS)), np.int64), *(_renumbered(part, known, bands) for part in parts)])
        surveys = np.concatenate([np.empty(0, np.uint64), *(_moved(part, known) for part in parts)])
        return cls(moment, numbers, counts, surveys, np.concatenate([np.empty(0), *(part.times for part in parts)]), known, bands)

    def number(self, name: str) -> Floats:
        """A column of ``numbers``, shape (n,)."""
        return self.numbers[:, NUMBERS.index(name)]

    def count(self, name: str) -> NDArray[np.int64]:
        """A column of ``counts``, shape (n,)."""
        return self.counts[:, COUNTS.index(name)]

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.count("n"))])

    @cached_property
    def latest(self) -> Floats:
        """MJD of the latest detection, whether its magnitude is known or not, shape (n,); NaN without one."""
        some = self.count("n") > 0
        latest = np.full(len(some), np.nan)
        latest[some] = self.times[self._ends[1:][some] - 1]
        return latest

    def seen_by(self, i: int) -> tuple[str, ...]:
        """The surveys that detected object i, sorted."""
        bits = int(self.surveys[i])
        return tuple(sorted(name for place, name in enumerate(self.known) if bits >> min(place, 63) & 1))

    def trend(self, i: int) -> Trend:
        """State of the light curve of object i, which has a detection."""
        first, _, last, latest, now, slope, slope_err, error, _ = self.numbers[i].tolist()
        *_, band, survey, total, _ = self.counts[i].tolist()
        return Trend(self.bands[band], latest, now, slope, slope_err, first, last, self.known[survey], error, bool(total))

    def history(self, i: int) -> History | None:
        """Detections and trend of object i; None without a detection."""
        if not self.counts[i, 0]:
            return None
        times = self.times[self._ends[i] : self._ends[i + 1]]
        times.setflags(write=False)
        first_flux, first_band = float(self.number("first_flux")[i]), self.bands[self.count("first_band")[i]]
        return History(times, self.seen_by(i), first_band, first_flux, self.trend(i))


def _renumbered(part: States, known: Sequence[str], bands: Sequence[str]) -> NDArray[np.int64]:
    """Counts of a part with places in other tables of surveys and bands."""
    counts, seen = part.counts.copy(), part.count("n") > 0
    for name, old, new in (("first_band", part.bands, bands), ("band", part.bands, bands), ("survey", part.known, known)):
        places = np.array([new.index(text) for text in old], np.int64)
        counts[seen, COUNTS.index(name)] = places[part.count(name)[seen]]
    return counts


def _moved(part: States, known: Sequence[str]) -> NDArray[np.uint64]:
    """Bits of a part with places in another table of surveys."""
    bits = np.zeros(len(part.surveys), np.uint64)
    for place, name in enumerate(part.known):
        bits |= (part.surveys >> np.uint64(min(place, 63)) & np.uint64(1)) << np.uint64(min(known.index(name), 63))
    return bits
