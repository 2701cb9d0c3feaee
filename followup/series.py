"""Series: a request that is repeated. When the next round begins, after what has become of the rounds before, and when there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: What follows a round that has failed: another one at once, on the next night, or at its next date.
AT_ONCE, NEXT_NIGHT, NEXT_DATE = "now", "night", "date"
_WORDS = {AT_ONCE: "it is tried again at once", NEXT_NIGHT: "it is tried again on the next night", NEXT_DATE: "it goes on at its next date"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How often, and until when, a request is repeated; every condition ends a series by itself.

    Attributes
    ----------
    every : float
        Days from one observation to the next.
    most : int
        Rounds at most, the first and those that failed among them.
    until : float
        MJD, UTC: no round begins later.
    after_failure : {'now', 'night', 'date'}
        What follows a round that has failed.
    failures : int
        Failures in a row that end it.
    observed : int
        Observations that are enough; 0 for no such condition.
    fainter : float
        AB magnitude beyond which it is too faint; infinite for no such condition.
    classified : bool
        Whether it ends with a spectroscopic class.
    past_peak : float
        Days after the peak at which it ends; infinite for no such condition.
    """

    every: float
    most: int
    until: float
    after_failure: str = NEXT_NIGHT
    failures: int = 3
    observed: int = 0
    fainter: float = math.inf
    classified: bool = False
    past_peak: float = math.inf


@dataclass(frozen=True, slots=True)
class Round:
    """A round that has ended: whether it was observed, its window, and when it was observed (MJD, UTC; NaN where that is not known)."""

    observed: bool
    start: float
    end: float
    at: float = math.nan


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the object: AB magnitude expected at the next round, how its class is known, and by when (MJD) it has peaked.

    NaN, '' and NaN where it is not known.
    """

    magnitude: float = math.nan
    classified: str = ""
    peaked: float = math.nan


def due(rule: Rule, rounds: Sequence[Round], now: float) -> float:
    """When the next round may begin (MJD, UTC), not before now: what was missed is not made up for.

    After an observation that is `Rule.every` later. After a failure it is now, a day after the begin of the window that failed, or
    `Rule.every` after that.
    """
    last = rounds[-1]
    if last.observed:
        return max(now, (last.at if math.isfinite(last.at) else last.start) + rule.every)
    return max(now, {AT_ONCE: now, NEXT_NIGHT: last.start + 1.0, NEXT_DATE: last.start + rule.every}[rule.after_failure])


def ending(rule: Rule, rounds: Sequence[Round], known: Known, at: float) -> str:
    """Why there is no further round at this time (MJD, UTC), in words; '' if there is one."""
    observed, failed = sum(one.observed for one in rounds), failures(rounds)
    reasons = (
        (rule.observed and observed >= rule.observed, f"it was observed {times(observed)}"),
        (failed >= rule.failures, f"{failed} rounds in a row have failed" if failed > 1 else "a round has failed"),
        (len(rounds) >= rule.most, f"{rule.most} rounds were asked for at most"),
        (at > rule.until, "its last date has passed"),
        (rule.classified and known.classified, f"it is classified: {known.classified}"),
        (known.magnitude > rule.fainter, f"it is expected at {known.magnitude:.1f} mag, fainter than {rule.fainter:g}"),
        (at - known.peaked > rule.past_peak, f"its peak was more than {rule.past_peak:g} d ago"),
    )
    return next((words for over, words in reasons if over), "")


def failures(rounds: Sequence[Round]) -> int:
    """Number of failures in a row at the end."""
    return next((i for i, one in enumerate(reversed(rounds)) if one.observed), len(rounds))


def then(rule: Rule, rounds: Sequence[Round]) -> str:
    """Words for what follows the last round, if no condition ends the series."""
    failed = failures(rounds)
    if not failed:
        return f"it was observed, and is again {span(rule.every)} later"
    return f"{_WORDS[rule.after_failure]} (failure {failed} in a row, {rule.failures} end the series)"


def told(rule: Rule) -> str:
    """Words for the whole rule."""
    ends = [f"at most {rule.most} rounds"]
    ends += [f"until it was observed {times(rule.observed)}"] if rule.observed else []
    ends += [f"until it is fainter than {rule.fainter:g} mag"] if math.isfinite(rule.fainter) else []
    ends += ["until it is classified"] if rule.classified else []
    ends += [f"until {rule.past_peak:g} d after its peak"] if math.isfinite(rule.past_peak) else []
    return f"every {span(rule.every)}, {', '.join(ends)}; if a round fails, {_WORDS[rule.after_failure]}, {rule.failures} times at most"


def span(days: float) -> str:
    """Words for a time in days."""
    return f"{days:g} d" if days >= 1.0 else f"{days * 24.0:g} h"


def times(n: int) -> str:
    """Words for how often."""
    return {1: "once", 2: "twice"}.get(n, f"{n} times")
