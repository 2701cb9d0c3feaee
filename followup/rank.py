"""Rank candidates by the weighted geometric mean of their terms, put aside what is vetoed, and keep the whole table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followup import plugged, profiles
from followup.records import Candidates, FollowupError, Night, Ranking, Reasons, Scores, Vetoes

Array = NDArray[np.float64]

#: Terms and vetoes of a ranking for which none are given: those of the profile "default".
DEFAULT_TERMS: Mapping[str, float | Mapping[str, Any]] = profiles.shipped()["default"].merits
DEFAULT_VETOES: Mapping[str, Mapping[str, Any]] = profiles.shipped()["default"].vetoes


def rank(
    candidates: Candidates,
    night: Night,
    terms: Mapping[str, float | Mapping[str, Any]] = DEFAULT_TERMS,
    vetoes: Mapping[str, Mapping[str, Any]] = DEFAULT_VETOES,
) -> Ranking:
    """Rank n candidates, best first, then the vetoed ones by their merit; ties are in the order of their keys.

    Parameters
    ----------
    candidates : sequence of Candidate, length n
        Keys must differ.
    night : Night
        Of the same candidates, in the same order.
    terms : mapping of term name to weight, or to ``{'weight': 2.0, parameter: value, ...}`` (weight 1 if not given)
        A name is a plug-in of ``followup/terms`` or a dotted module. The merit is exp(sum w ln s / sum w) over the terms s with weights w;
        a term of weight 0 is shown and counts for nothing.
    vetoes : mapping of veto name to its parameters
        A name is a plug-in of ``followup/vetoes`` or a dotted module.

    Raises
    ------
    FollowupError
        An unknown term, veto or parameter, an impossible weight, or a plug-in that breaks its contract.
    """
    n = len(candidates)
    if night.altitude.shape[0] != n:
        raise FollowupError(f"the night was computed for {night.altitude.shape[0]} targets, not for these {n}")
    loaded = {name: plugged.term(name, options) for name, options in terms.items()}
    bound = {name: plugged.veto(name, options) for name, options in vetoes.items()}
    weights = {name: weight for name, (_, weight) in loaded.items()}
    table = {name: _checked(name, term(candidates, night), n) for name, (term, _) in loaded.items()}
    against = {name: _checked_veto(name, veto(candidates, night), n) for name, veto in bound.items()}
    merit = _mean(table, weights, n)
    vetoed = np.logical_or.reduce([v.against(night.now) for v in against.values()] or [np.zeros(n, bool)])
    scores = np.where(vetoed, 0.0, merit)
    keys = np.array([c.key for c in candidates], dtype=str)
    order = np.lexsort((keys, -merit, -scores))
    return Ranking(
        keys=tuple(keys[order].tolist()),
        scores=_frozen(scores[order]),
        merit=_frozen(merit[order]),
        terms={name: Scores(_frozen(s.values[order]), _taken(s.reasons, order)) for name, s in table.items()},
        weights=weights,
        vetoes={name: Vetoes(_frozen(v.until[order]), _taken(v.reasons, order)) for name, v in against.items()},
        hours=_frozen(night.hours[order]),
    )


def _taken(reasons: Sequence[str], order: NDArray[np.intp]) -> Reasons:
    return Reasons(len(reasons), reasons.__getitem__).take(order)


def _mean(table: Mapping[str, Scores], weights: Mapping[str, float], n: int) -> Array:
    counting = {name: w for name, w in weights.items() if w > 0.0}
    if not counting:
        raise FollowupError("no term has a weight: there is nothing to rank by")
    with np.errstate(divide="ignore"):
        logs = sum((w * np.log(table[name].values) for name, w in counting.items()), np.zeros(n))
    return np.asarray(np.exp(logs / sum(counting.values())))


def _checked(name: str, scores: Scores, n: int) -> Scores:
    values = np.asarray(scores.values, dtype=np.float64)
    if values.shape != (n,) or len(scores.reasons) != n:
        raise FollowupError(f"term {name!r} gave {values.shape} scores and {len(scores.reasons)} reasons for {n} candidates")
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise FollowupError(f"term {name!r} left [0, 1]")
    return Scores(values, scores.reasons)


def _checked_veto(name: str, vetoes: Vetoes, n: int) -> Vetoes:
    until = np.asarray(vetoes.until, dtype=np.float64)
    if until.shape != (n,) or len(vetoes.reasons) != n:
        raise FollowupError(f"veto {name!r} gave {until.shape} dates and {len(vetoes.reasons)} reasons for {n} candidates")
    return Vetoes(until, vetoes.reasons)


def _frozen(values: Array) -> Array:
    values.setflags(write=False)
    return values
