"""Policies that ours is compared with: random, brightest first, an oracle, and AAS2RTO's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.campaign import aas2rto
from benchmarks.campaign.calendars import Pool
from benchmarks.campaign.evenings import States, Truth
from benchmarks.campaign.play import Policy
from benchmarks.campaign.subjects import Floats
from broker_adapters.photometry import flux_from_magnitude


def others(states: States, truth: Truth, aas2rto_scores: Mapping[str, Floats]) -> dict[str, Policy]:
    """Name -> policy. The oracle observes nothing but hits; AAS2RTO's are those whose scores are given."""

    def random(pool: Pool) -> Floats:
        drawn: Floats = 1.0 - np.random.default_rng(pool.number).random(len(pool.state))
        return drawn

    def factors(scores: Floats) -> Policy:
        return lambda pool: scores[pool.state] * aas2rto.place(pool)

    return {
        "random": random,
        "brightest": lambda pool: flux_from_magnitude(states.latest[pool.state]),
        "oracle": lambda pool: truth.hit[pool.state].astype(float),
    } | {name: factors(scores) for name, scores in aas2rto_scores.items()}
