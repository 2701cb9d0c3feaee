"""A term of a third party: prefers high declinations."""

from __future__ import annotations

import numpy as np

from followup.records import NEUTRAL, Candidates, Night, Scores


def term(candidates: Candidates, night: Night, *, pole: float = 90.0) -> Scores:
    """Declination from -90 (0.1) to ``pole`` degrees (1), shape (n,)."""
    dec = np.array([c.dec for c in candidates], dtype=np.float64)
    values = np.where(np.isfinite(dec), np.clip((dec + 90.0) / (pole + 90.0), 0.1, 1.0), NEUTRAL)
    return Scores(values, tuple(f"declination {d:+.0f}" if np.isfinite(d) else "no position" for d in dec))
