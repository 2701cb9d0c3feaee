"""Our policies: the product's own ranking of a pool by a profile, from candidates made of what was known on the evening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.campaign.calendars import Pool
from benchmarks.campaign.evenings import States
from benchmarks.campaign.known import Known
from benchmarks.campaign.subjects import Floats, Subject
from classifiers.posterior.records import Outlooks
from classifiers.taxonomy import LIGHTCURVE_CLASSES
from followup.batch import Batch
from followup.profiles import Profile
from followup.records import Candidate
from followup.replay import by_profile

#: What a stamp classifier says of every object in the replay "with stamps that say SN".
STAMPS: Mapping[str, float] = {"SN": 0.9, "AGN": 0.025, "VS": 0.025, "asteroid": 0.025, "bogus": 0.025}


@dataclass(slots=True, eq=False)
class Told:
    """What is told of a pool: its candidates, the same for every profile, so that those share what they ask of them.

    Those of the latest pool are kept, without and with stamps.
    """

    subjects: Sequence[Subject]
    states: States
    known: Known
    _pool: Pool | None = field(default=None, init=False, repr=False)
    _batches: dict[bool, Batch] = field(default_factory=dict, init=False, repr=False)

    def candidates(self, pool: Pool, stamps: bool) -> Batch:
        """Candidates of a pool, with stamps that say SN of all of them or without any."""
        if pool is not self._pool:
            self._pool, self._batches = pool, {}
        if stamps not in self._batches:
            self._batches[stamps] = Batch([self._candidate(pool, i, stamps) for i in range(len(pool.state))])
        return self._batches[stamps]

    def _candidate(self, pool: Pool, i: int, stamps: bool) -> Candidate:
        subject, shift = int(pool.subject[i]), int(pool.shift[i])
        evidence = int(self.states.evidence[pool.state[i]])
        about = self.subjects[subject]
        rows = about.rows[: self.states.until[evidence]].copy()
        rows["mjd"] += shift
        said = self.known.probabilities[evidence].tolist()
        by_model = {"lightcurve": dict(zip(LIGHTCURVE_CLASSES, said, strict=True))} if self.known.classified[evidence] else {}
        return Candidate(
            key=about.name,
            name=about.name,
            ra=float(pool.ra[i]),
            dec=float(pool.dec[i]),
            detections=rows,
            probabilities=by_model | ({"stamp": STAMPS} if stamps else {}),
            oddness=float(self.known.oddness[evidence]),
            first_seen=about.first + shift,
            outlook=self._outlook(evidence, shift),
        )

    def _outlook(self, evidence: int, shift: int) -> Outlooks | None:
        place = int(self.known.outlook_of[evidence])
        if place < 0:
            return None
        one = self.known.outlooks[place]
        return replace(one, mjd=one.mjd + shift)


@dataclass(frozen=True, slots=True, eq=False)
class Ours:
    """The policy of one profile: scores of a pool, shape (k,), and 0 for what is vetoed."""

    profile: Profile
    told: Told
    stamps: bool = False

    def __call__(self, pool: Pool) -> Floats:
        """Rank a pool."""
        return by_profile(self.profile)(self.told.candidates(pool, self.stamps), pool.night)
