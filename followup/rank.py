"""Rank candidates by the weighted geometric mean of their terms, and keep the whole table."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from broker_adapters import plugins
from followup.records import Candidates, FollowupError, Night, Ranking, Scores

BoundTerm = Callable[[Candidates, Night], Scores]

PACKAGE = "followup.terms"


def _default_terms() -> dict[str, float]:
    """Name -> `WEIGHT` of the terms of ``followup/terms`` that are on by default, in the order of their `PLACE`, then of their names."""
    terms = {name: plugins.load(PACKAGE, name) for name in plugins.names(PACKAGE)}
    order = sorted(terms, key=lambda name: (getattr(terms[name], "PLACE", math.inf), name))
    weights = {name: float(getattr(terms[name], "WEIGHT", 0.0)) for name in order}
    return {name: weight for name, weight in weights.items() if weight > 0.0}


#: Terms and weights of a ranking for which none are given, read from the files of ``followup/terms``.
DEFAULT_TERMS: Mapping[str, float] = MappingProxyType(_default_terms())


def rank(candidates: Candidates, night: Night, terms: Mapping[str, float | Mapping[str, Any]] = DEFAULT_TERMS) -> Ranking:
    """Rank n candidates, best first; ties are in the order of their keys, whatever the order of the input.

    Parameters
    ----------
    candidates : sequence of Candidate, length n
        Keys must differ.
    night : Night
        Of the same candidates, in the same order.
    terms : mapping of term name to weight, or to ``{'weight': 2.0, parameter: value, ...}`` (weight 1 if not given)
        A name is a plug-in of ``followup/terms`` or a dotted module. The score is exp(sum w ln s / sum w) over the terms s with weights w;
        a term that is 0 vetoes; a term of weight 0 is shown and counts for nothing.

    Raises
    ------
    FollowupError
        An unknown term or parameter, an impossible weight, or a term that breaks its contract.
    """
    if night.altitude.shape[0] != len(candidates):
        raise FollowupError(f"the night was computed for {night.altitude.shape[0]} targets, not for these {len(candidates)}")
    loaded = {name: load(name, options) for name, options in terms.items()}
    weights = {name: weight for name, (_, weight) in loaded.items()}
    table = {name: _checked(name, term(candidates, night), len(candidates)) for name, (term, _) in loaded.items()}
    scores = _mean(table, weights, len(candidates))
    order = sorted(range(len(candidates)), key=lambda i: (-scores[i], candidates[i].key))
    return Ranking(
        keys=tuple(candidates[i].key for i in order),
        scores=_frozen(scores[order]),
        terms={name: Scores(_frozen(s.values[order]), tuple(s.reasons[i] for i in order)) for name, s in table.items()},
        weights=weights,
        hours=_frozen(night.hours[order]),
    )


def load(name: str, options: float | Mapping[str, Any]) -> tuple[BoundTerm, float]:
    """Return a term with its parameters bound, and its weight.

    Raises
    ------
    FollowupError
        An unknown term or parameter, or a weight that is negative or not finite.
    """
    try:
        term = plugins.load(PACKAGE, name).term
    except (LookupError, AttributeError) as error:
        raise FollowupError(str(error)) from error
    given = dict(options) if isinstance(options, Mapping) else {"weight": options}
    weight = float(given.pop("weight", 1.0))
    if not (np.isfinite(weight) and weight >= 0.0):
        raise FollowupError(f"the weight of term {name!r} is {weight}; it must be 0 or more")
    known = [p.name for p in inspect.signature(term).parameters.values() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise FollowupError(f"term {name!r} has no {', '.join(unknown)}; it takes: {', '.join(['weight', *known])}")
    return partial(term, **given), weight


def _mean(table: Mapping[str, Scores], weights: Mapping[str, float], n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
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
    return Scores(values, tuple(scores.reasons))


def _frozen(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    values.setflags(write=False)
    return values
