"""The objects of a replay with all that policies are told of them, and the standard replay with its variations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.campaign.calendars import BEGINNING, Pools, calendar
from benchmarks.campaign.evenings import LIMIT, NEAR, States, states_kept, truth
from benchmarks.campaign.known import Known, known, scores_of_aas2rto
from benchmarks.campaign.ours import Ours
from benchmarks.campaign.play import SLOTS, Played, Policy, play
from benchmarks.campaign.policies import others
from benchmarks.campaign.subjects import HALVES, Floats, Subject, a_third, brightest, half, read

#: Name -> what differs from the standard replay.
VARIATIONS: Mapping[str, Mapping[str, Any]] = {
    "9_a_night": {"beginning": 9},
    "36_a_night": {"beginning": 36},
    "5_slots": {"slots": 5},
    "20_slots": {"slots": 20},
    "r_18.5": {"limit": 18.5},
    "within_2_d": {"near": 2.0},
    "within_7_d": {"near": 7.0},
    "hard": {"hard": True},
}


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Objects, their states, what our classifiers say of them, and their scores by AAS2RTO."""

    subjects: Sequence[Subject]
    states: States
    known: Known
    aas2rto: Floats

    def calendars(self, seeds: int, beginning: int = BEGINNING, limit: float = LIMIT, hard: bool = False) -> list[Pools]:
        """Calendars of the first seeds; `hard` leaves a third of the SNe Ia."""
        when, among = brightest(self.subjects), a_third(self.subjects) if hard else None
        return [calendar(self.states, when, seed, beginning, limit, among) for seed in range(seeds)]

    def played(
        self, calendars: Sequence[Pools], ours: Mapping[str, Ours], slots: int = SLOTS, near: float = NEAR, limit: float = LIMIT
    ) -> dict[str, list[Played]]:
        """What each policy, by its name, found in each calendar."""
        true = truth(self.subjects, self.states, limit, near)
        every: dict[str, Policy] = {**others(self.states, true, self.aas2rto), **ours}
        return {name: [play(pools, policy, true, slots) for pools in calendars] for name, policy in every.items()}

    def variation(self, seeds: int, ours: Mapping[str, Ours], **differs: Any) -> dict[str, list[Played]]:
        """Play with what differs from the standard replay: an entry of `VARIATIONS`."""
        made = {name: value for name, value in differs.items() if name in ("beginning", "limit", "hard")}
        judged = {name: value for name, value in differs.items() if name in ("slots", "near", "limit")}
        return self.played(self.calendars(seeds, **made), ours, **judged)


def prepare(data: Path, weights: Path, which: str, cache: Path | None) -> Material:
    """Read the objects of a half (or ``all``) and work out what does not depend on the calendar, or read it from the cache."""
    every = read(data)
    wanted = half([s.name for s in every]).tolist()
    subjects = [s for s, own in zip(every, wanted, strict=True) if which == "all" or HALVES[own] == which]
    states = states_kept(subjects, cache)
    return Material(subjects, states, known(subjects, states, weights, cache), scores_of_aas2rto(subjects, states, cache))
