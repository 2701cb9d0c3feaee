"""Ambiguous matches with what a person needs to decide them: stamps, light curves, positions and classes of both objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from broker_adapters.association import radius
from broker_adapters.records import Detections
from followup.brightness import Trend, trend
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, MatchCandidate, SkyObject, Stamps, SurveyObject
from tom_alerce.pages.figures import pair
from tom_alerce.pages.figures.svg import Plot
from tom_alerce.store import classifications, lightcurves


@dataclass(frozen=True)
class Side:
    """One of the two objects: its survey objects, light curve, first and latest stamps and classifications."""

    name: str
    sky_object: SkyObject
    members: tuple[SurveyObject, ...]
    detections: Detections
    stamps: tuple[Stamps, ...]
    classifications: tuple[Classification, ...]

    @property
    def latest(self) -> Trend | None:
        """Brightness trend of the light curve; None if nothing was detected."""
        return trend(self.detections, math.inf)

    @property
    def n_detections(self) -> int:
        """Number of alerts."""
        return sum(member.n_detections for member in self.members)

    @property
    def first_mjd(self) -> float | None:
        """First detection, MJD."""
        return min((member.first_mjd for member in self.members if member.first_mjd is not None), default=None)


@dataclass(frozen=True)
class Pair:
    """An ambiguous match: ``first`` is the survey object, ``second`` the sky object that it may belong to."""

    candidate: MatchCandidate
    first: Side
    second: Side
    curve: Plot | None
    map: Plot
    radius: float


def pairs(candidates: Iterable[MatchCandidate]) -> list[Pair]:
    """Pairs of matches with both sides (`tom_alerce.visible.with_both_sides`), in their order; the number of queries does not grow."""
    matches = list(candidates)
    if not matches:
        return []
    skies = {one.pk: one for match in matches for one in (match.sky_object, match.survey_object.sky_object)}
    members = {match.pk: tuple(skies[match.sky_object_id].survey_objects.all()) for match in matches}
    keys = {member.pk for member in chain(*members.values())} | {match.survey_object_id for match in matches}
    curves = lightcurves.split(lightcurves.read(sorted(keys)))
    images = _stamps(keys)
    classified = classifications.latest(skies)

    def side(name: str, sky: SkyObject, own: Sequence[SurveyObject]) -> Side:
        rows = lightcurves.merged(curves, (member.pk for member in own))
        return Side(name, sky, tuple(own), rows, _ends(own, images), tuple(classified.get(sky.pk, ())))

    now = now_mjd()
    drawn = []
    for match in matches:
        member, second_sky = match.survey_object, skies[match.sky_object_id]
        first = side(str(member), skies[member.sky_object_id], (member,))
        second = side(second_sky.name, second_sky, members[match.pk])
        within = max((radius(member.survey, other.survey) for other in second.members), default=radius(member.survey, member.survey))
        places = [*(_place("second", one, second_sky) for one in second.members), _place("first", member, second_sky)]
        curve = pair.light_curves(first.detections, second.detections, now)
        drawn.append(Pair(match, first, second, curve, pair.sky_map(places, within), within))
    return drawn


def _stamps(keys: Iterable[int]) -> dict[int, list[Stamps]]:
    """Stamps with an image by survey object, in time order, without their pixels."""
    rows = Stamps.objects.filter(survey_object__in=keys).exclude(science=None, template=None, difference=None)
    by_member: dict[int, list[Stamps]] = {}
    for row in rows.defer("science", "template", "difference", "metadata").order_by("mjd", "pk"):
        by_member.setdefault(row.survey_object_id, []).append(row)
    return by_member


def _ends(members: Iterable[SurveyObject], images: Mapping[int, Sequence[Stamps]]) -> tuple[Stamps, ...]:
    """The earliest and the latest stamps of some survey objects."""
    rows = sorted((row for member in members for row in images.get(member.pk, ())), key=lambda row: row.mjd)
    return tuple(rows[:1] + rows[1:][-1:])


def _place(owner: str, member: SurveyObject, origin: SkyObject) -> pair.Place:
    """Where a survey object is, from the position of a sky object."""
    east = ((member.ra - origin.ra + 180.0) % 360.0 - 180.0) * math.cos(math.radians(origin.dec)) * 3600.0
    return pair.Place(owner, east, (member.dec - origin.dec) * 3600.0, member.position_err)
