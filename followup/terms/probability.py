"""Probability of a class of interest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from classifiers.taxonomy import ours
from followup.batch import Batch
from followup.records import Candidate, Candidates, Night, Reasons, Scores

#: Interest in each class of `classifiers.taxonomy`, in [0, 1]; a class that is not named has 0.
INTEREST: Mapping[str, float] = MappingProxyType(
    {"SN": 1.0, "SNIa": 1.0, "SNIbc": 1.0, "SNII": 1.0, "SLSN": 1.0, "CV/Nova": 0.5, "AGN": 0.2, "QSO": 0.2, "Blazar": 0.3, "VS": 0.1}
)
#: Score of an unclassified candidate: the mean interest of the five stamp classes, (1 + 0.2 + 0.1 + 0 + 0) / 5. The neutral score of other
#: terms, 0.5, would put all unclassified candidates above most classified ones.
UNKNOWN = 0.25


def term(candidates: Candidates, night: Night, *, interest: Mapping[str, float] = INTEREST, unknown: float = UNKNOWN) -> Scores:
    """Geometric mean over classifiers of the expected interest, the sum of p(class) x interest(class), shape (n,).

    A classification without a probability (some brokers give none) is shown and does not count. A candidate without any other scores
    ``unknown``. One classifier's expected interest is at least 0.01, since classifiers err.

    ``interest`` maps a class, ours or a broker's, to [0, 1]; a class that is not named counts as 0.
    """
    batch = Batch.of(candidates)
    values = batch.opinions.expected({ours(name) or name: float(value) for name, value in interest.items()}, unknown)
    return Scores(values, Reasons(len(batch), lambda i: _reason(batch[i])))


def _reason(candidate: Candidate) -> str:
    best = {name: max(by_class.items(), key=lambda item: item[1]) for name, by_class in candidate.probabilities.items() if by_class}
    if not best:
        return "not classified"
    return ", ".join(f"{label}{f' {p:.2f}' if math.isfinite(p) else ''} by {name}" for name, (label, p) in best.items())
