"""How odd the light curve is among those of its kind: for those who look for what no class is made for."""

from __future__ import annotations

import numpy as np

from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: The most usual of all is no worse than this: oddness alone is no veto.
_LOWEST = 0.01


def term(candidates: Candidates, night: Night) -> Scores:
    """Share of what the classifier learnt from that is less odd, shape (n,); `followup.records.NEUTRAL` where it cannot be said."""
    odd = np.array([c.oddness for c in candidates], dtype=np.float64)
    values = np.where(np.isfinite(odd), np.clip(odd, _LOWEST, 1.0), NEUTRAL)
    return Scores(values, tuple(map(_reason, candidates)))


def _reason(candidate: Candidate) -> str:
    return f"odder than {candidate.oddness:.0%} of its kind" if np.isfinite(candidate.oddness) else "not known how odd"
