"""Our policy: the product's own ranking of a pool by a profile, from candidates made of what was known on the evening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.campaign.calendars import Pool
from benchmarks.campaign.evenings import States
from benchmarks.campaign.known import Known
from benchmarks.campaign.subjects import Floats, Subject
from broker_adapters.records import Detections
from classifiers.posterior.records import Outlooks
from classifiers.taxonomy import LIGHTCURVE_CLASSES
from followup.profiles import Profile
from followup.records import Candidate
from followup.replay import by_profile

#: What a stamp classifier says of every object in the replay "with stamps that say SN".
STAMPS: Mapping[str, float] = {"SN": 0.9, "AGN": 0.025, "VS": 0.025, "asteroid": 0.025, "bogus": 0.025}


@dataclass(frozen=True, slots=True, eq=False)
class Ours:
    """The policy of one profile; scores of a pool are kept, since neither slots nor what counts as a hit changes them."""

    profile: Profile
    subjects: Sequence[Subject]
    states: States
    known: Known
    stamps: bool = False
    _scores: dict[int, tuple[Pool, Floats]] = field(default_factory=dict, init=False, repr=False)
    _moved: dict[tuple[int, int], Detections] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, pool: Pool) -> Floats:
        """Scores of a pool, shape (k,); 0 for what is vetoed."""
        if id(pool) not in self._scores:
            candidates = [self._candidate(pool, i) for i in range(len(pool.state))]
            self._scores[id(pool)] = pool, by_profile(self.profile)(candidates, pool.night)
        return self._scores[id(pool)][1]

    def _candidate(self, pool: Pool, i: int) -> Candidate:
        subject, shift = int(pool.subject[i]), int(pool.shift[i])
        evidence = int(self.states.evidence[pool.state[i]])
        about = self.subjects[subject]
        rows = self._rows(subject, shift)[: self.states.until[evidence]]
        said = self.known.probabilities[evidence].tolist()
        by_model = {"lightcurve": dict(zip(LIGHTCURVE_CLASSES, said, strict=True))} if self.known.classified[evidence] else {}
        return Candidate(
            key=about.name,
            name=about.name,
            ra=float(pool.ra[i]),
            dec=float(pool.dec[i]),
            detections=rows,
            probabilities=by_model | ({"stamp": STAMPS} if self.stamps else {}),
            oddness=float(self.known.oddness[evidence]),
            first_seen=about.first + shift,
            outlook=self._outlook(evidence, shift),
        )

    def _rows(self, subject: int, shift: int) -> Detections:
        """All rows of an object, moved by whole days."""
        if (subject, shift) not in self._moved:
            rows = self.subjects[subject].rows.copy()
            rows["mjd"] += shift
            rows.setflags(write=False)
            self._moved[subject, shift] = rows
        return self._moved[subject, shift]

    def _outlook(self, evidence: int, shift: int) -> Outlooks | None:
        place = int(self.known.outlook_of[evidence])
        if place < 0:
            return None
        one = self.known.outlooks[place]
        return replace(one, mjd=one.mjd + shift)
