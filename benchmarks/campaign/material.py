"""The objects of a replay with all that policies are told of them, and the standard replay with its variations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.campaign.calendars import BEGINNING, Pools, calendar
from benchmarks.campaign.evenings import LIMIT, NEAR, States, states_kept, truth
from benchmarks.campaign.known import Known, known, scores_of_aas2rto
from benchmarks.campaign.play import SLOTS, Played, Policy, play
from benchmarks.campaign.policies import others
from benchmarks.campaign.subjects import HALVES, Floats, Subject, a_third, brightest, half, read


@dataclass(frozen=True, slots=True)
class Variation:
    """What a replay is played with: objects that begin a night, limit (mag), a third of the SNe Ia or all, slots, and days of a hit."""

    beginning: int = BEGINNING
    limit: float = LIMIT
    hard: bool = False
    slots: int = SLOTS
    near: float = NEAR

    @property
    def calendar(self) -> tuple[int, float, bool]:
        """What its calendars depend on."""
        return self.beginning, self.limit, self.hard


#: Name -> what differs from the standard replay.
VARIATIONS: Mapping[str, Variation] = {
    "9_a_night": Variation(beginning=9),
    "36_a_night": Variation(beginning=36),
    "5_slots": Variation(slots=5),
    "20_slots": Variation(slots=20),
    "r_18.5": Variation(limit=18.5),
    "within_2_d": Variation(near=2.0),
    "within_7_d": Variation(near=7.0),
    "hard": Variation(hard=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Objects, their states, what our classifiers say of them, and their scores by AAS2RTO."""

    subjects: Sequence[Subject]
    states: States
    known: Known
    aas2rto: Mapping[str, Floats]

    def calendar(self, seed: int, of: Variation) -> Pools:
        """Pools of one calendar of a variation."""
        among = a_third(self.subjects) if of.hard else None
        return calendar(self.states, brightest(self.subjects), seed, of.beginning, of.limit, among)

    def played(self, variations: Mapping[str, tuple[Variation, int]], ours: Mapping[str, Policy]) -> dict[str, dict[str, list[Played]]]:
        """Play variations, each in so many calendars: name of the variation -> name of the policy -> what it found in each calendar.

        Those with the same calendars share them, and the scores of our policies, which none of the rest changes.
        """
        found: dict[str, dict[str, list[Played]]] = {name: defaultdict(list) for name in variations}
        alike = groupby(sorted(variations.items(), key=lambda one: one[1][0].calendar), key=lambda one: one[1][0].calendar)
        for _, group in alike:
            own = list(group)
            for seed in range(max(seeds for _, (_, seeds) in own)):
                pools = self.calendar(seed, own[0][1][0])
                scores = scored(pools, ours)
                for name, (of, seeds) in own:
                    if seed < seeds:
                        self._play(found[name], pools, scores, of)
        return found

    def _play(self, found: dict[str, list[Played]], pools: Pools, scores: Mapping[str, Policy], of: Variation) -> None:
        true = truth(self.subjects, self.states, of.limit, of.near)
        every = {**others(self.states, true, self.aas2rto), **scores}
        for name, policy in every.items():
            found[name].append(play(pools, policy, true, of.slots))


def scored(pools: Pools, policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """Policies with their scores of these pools worked out, all policies of a pool after each other."""
    table = [{name: policy(pool) for name, policy in policies.items()} for pool in pools]

    def known(name: str) -> Policy:
        return lambda pool: table[pool.number][name]

    return {name: known(name) for name in policies}


def prepare(data: Path, weights: Path, which: str, cache: Path | None) -> Material:
    """Read the objects of a half (or ``all``) and work out what does not depend on the calendar, or read it from the cache."""
    every = read(data)
    wanted = half([s.name for s in every]).tolist()
    subjects = [s for s, own in zip(every, wanted, strict=True) if which == "all" or HALVES[own] == which]
    states = states_kept(subjects, cache)
    return Material(subjects, states, known(subjects, states, weights, cache), scores_of_aas2rto(subjects, states, cache))
