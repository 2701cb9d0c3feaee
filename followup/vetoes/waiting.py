"""Do not observe yet: a later night is better, and it will be up then."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from followup.batch import Batch
from followup.coming import ANY, NIGHTS, Coming, coming, evening
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(
    candidates: Candidates,
    night: Night,
    *,
    least: float = 0.4,
    gain: float = 1.25,
    floor: float = 0.0,
    within: float = 4.0,
    classes: Mapping[str, float] = ANY,
) -> Vetoes:
    """Against what is near its peak tonight with a chance below ``least``, and with a better one later, shape (n,).

    The date is that of the first night to come on which the chance is ``gain`` times tonight's and at least ``least`` or, where it never
    is, the best; only nights count on which it is up. What has a chance below ``floor`` tonight, and no better night to come, is vetoed
    without a date: the slot is left free. Without an outlook there is no veto. ``within`` (days) and ``classes`` are as in the term `peak`.
    """
    batch = Batch.of(candidates)
    until = np.full(len(batch), np.nan)
    has = batch.has_outlook
    if not len(has):
        return Vetoes(until, Reasons.same(len(batch), "no forecast of its peak"))
    nights = coming(batch, night, within, classes)
    when, waits = _when(nights, least, gain)
    dates = np.maximum(nights.mjd[when] - 0.5, np.nextafter(night.now, np.inf))
    until[has] = np.where(waits, dates, np.where(nights.tonight < floor, np.inf, np.nan))
    place = np.full(len(batch), -1)
    place[has] = np.arange(len(has))
    return Vetoes(until, Reasons(len(batch), lambda i: _reason(nights, night, int(place[i]), when, waits)))


def _when(nights: Coming, least: float, gain: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Number of the night to wait for, and whether to, shape (k,) each."""
    wanted = np.maximum(gain * nights.tonight, least)[:, None]
    good = nights.later >= wanted
    best = np.argmax(nights.later, axis=1)
    when = np.where(good.any(axis=1), np.argmax(good, axis=1), best) + 1
    better = np.take_along_axis(nights.later, best[:, None], axis=1)[:, 0] > gain * nights.tonight
    return when, (nights.tonight < least) & better


def _reason(
    nights: Coming,
    night: Night,
    k: int,
    when: NDArray[np.intp],
    waits: NDArray[np.bool_],
) -> str:
    if k < 0:
        return "no forecast of its peak"
    tonight = float(nights.tonight[k])
    if waits[k]:
        day = evening(night.site, float(nights.mjd[when[k]]))
        return f"better on {day}: {nights.chance[k, when[k]]:.0%} near its peak then, {tonight:.0%} tonight"
    return f"{tonight:.0%} near its peak tonight, {nights.later[k].max():.0%} at best on the next {NIGHTS} nights"
