"""Set aside by a person: vetoed, put off to a later day, or claimed by somebody who has it observed."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.coming import evening
from followup.records import Candidates, Mark, Night, Reasons, Vetoes

_VERBS = {"veto": "vetoed", "snooze": "put off", "claim": "claimed"}


def veto(candidates: Candidates, night: Night, *, claims: bool = True, author: str = "") -> Vetoes:
    """Against what somebody has vetoed or put off and, with ``claims``, claimed, until the latest of those marks expires, shape (n,).

    The claims of ``author``, whose ranking it is, do not count.
    """
    batch = Batch.of(candidates)
    said = {i: tuple(mark for mark in batch[i].marks if _counts(mark, night.now, claims, author)) for i in batch.marked.tolist()}
    until = np.full(len(batch), np.nan)
    for i, marks in said.items():
        until[i] = max((_end(mark) for mark in marks), default=np.nan)
    return Vetoes(until, Reasons(len(batch), lambda i: "; ".join(_words(m, night) for m in said.get(i, ())) or "nobody has set it aside"))


def _counts(mark: Mark, now: float, claims: bool, author: str) -> bool:
    return mark.kind in _VERBS and mark.holds(now) and (mark.kind != "claim" or (claims and mark.author != author))


def _end(mark: Mark) -> float:
    return np.inf if np.isnan(mark.until) else mark.until


def _words(mark: Mark, night: Night) -> str:
    until = "" if np.isnan(mark.until) else f" until {evening(night.site, mark.until)}"
    return f"{_VERBS[mark.kind]} by {mark.author}{until}" + (f": {mark.text}" if mark.text else "")
