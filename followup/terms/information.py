"""Information: what a spectrum would tell, the entropy of the class over what it would decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followup.batch import Batch
from followup.classes import SUPERNOVAE
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores

#: Classes of which a spectrum decides; all others count as one, "something else".
DECIDES = SUPERNOVAE
#: Lowest score: of what is certain already.
_LEAST = 0.02


def term(candidates: Candidates, night: Night, *, decides: tuple[str, ...] = DECIDES) -> Scores:
    """Entropy of the class, one of ``decides`` or something else, over its largest value, shape (n,).

    Of a supernova that nobody has classified further the outlook's classes count. 0.02 where a spectroscopic class is known; `NEUTRAL`
    where nothing is known of the class.
    """
    batch = Batch.of(candidates)
    shares = batch.opinions.shares_of(decides)
    values = np.full(len(batch), NEUTRAL)
    _split(batch, shares, decides)
    known = np.isfinite(shares).all(axis=1)
    p = np.clip(shares[known], 1e-12, 1.0)
    values[known] = np.clip(-(p * np.log(p)).sum(axis=1) / np.log(p.shape[1]), _LEAST, 1.0)
    values[batch.classified] = _LEAST
    names = (*decides, "something else")
    return Scores(values, Reasons(len(batch), lambda i: _reason(shares[i], names, bool(batch.classified[i]), bool(known[i]))))


def _split(batch: Batch, shares: NDArray[np.float64], decides: tuple[str, ...]) -> None:
    """Divide, in place, the supernovae that only stamps have named by the outlook's classes."""
    has = batch.has_outlook
    if not len(has):
        return
    coarse = batch.opinions.coarse()[has]
    for k, name in enumerate(decides):
        if name in SUPERNOVAE:
            moved = np.nan_to_num(coarse * batch.outlooks.classes[:, SUPERNOVAE.index(name)])
            shares[has, k] += moved
            shares[has, -1] = np.maximum(shares[has, -1] - moved, 0.0)


def _reason(p: NDArray[np.float64], names: tuple[str, ...], classified: bool, known: bool) -> str:
    if classified:
        return "its class is known"
    if not known:
        return "nothing is known of its class"
    best = np.argsort(-p, kind="stable")[:2]
    return "a spectrum would decide between " + " and ".join(f"{names[k]} {p[k]:.0%}" for k in best)
