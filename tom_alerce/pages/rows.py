"""Rows of the board: what one line says of an object, read for a page at once in a number of queries that does not grow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery

from followup.brightness import Trend
from followup.curves import Curves
from followup.states import States
from tom_alerce import visible
from tom_alerce.models import Classification, Rank, Ranking, SkyObject, Stamps, SurveyObject
from tom_alerce.models.sky import public_names
from tom_alerce.pages import states
from tom_alerce.pages.figures import svg
from tom_alerce.pages.figures.line import Line, line
from tom_alerce.store import classifications, lightcurves, marks, seen
from tom_alerce.store.sql import Rows

#: Pixels of the figures of a row.
CURVE, NIGHT = {"width": 190, "height": 58}, {"width": 140, "height": 58}


@dataclass(frozen=True, slots=True)
class Stamp:
    """Stamps of one alert, without their pixels."""

    pk: int
    slot: str
    mjd: float


@dataclass(slots=True)
class _Member:
    """A survey object as its names need it (`tom_alerce.models.sky.Named`)."""

    pk: int
    survey: str
    object_id: str
    names: Sequence[str]

    def __post_init__(self) -> None:
        if isinstance(self.names, str):  # SQLite keeps JSON as text
            self.names = json.loads(self.names)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the board; ``rank`` has its object, and ``target`` is the key of the target that is seen.

    ``state`` is one of `tom_alerce.pages.states`, with its ``words``; ``requests`` are states, latest first; ``marks`` have ``kind``,
    ``by`` and ``text``.
    """

    rank: Rank
    sky: SkyObject
    target: int | None
    name: str
    state: str
    words: str
    ambiguous: bool
    requests: Sequence[str]
    marks: Sequence[Mapping[str, str]]
    stamps: Sequence[Stamp]
    classes: Sequence[Classification]
    silent: Sequence[Classification]
    latest: Trend | None
    terms: Line
    curve: svg.Plot | None
    night: svg.Plot | None
    moon: float | None


def rows(keys: Sequence[int], ranking: Ranking, user: visible.User, now: float, lowest: float) -> list[Row]:
    """Rows of ranks of one ranking, in the order of their keys."""
    found: dict[int, Any] = _ranks(user).in_bulk(keys)
    ranks = [found[key] for key in keys if key in found]
    skies = [rank.sky_object for rank in ranks]
    members = {rank.sky_object_id: [_Member(**one) for one in rank.shown_members] for rank in ranks}
    curves = lightcurves.split(lightcurves.read(one.pk for own in members.values() for one in own))
    light = [lightcurves.merged(curves, (one.pk for one in members[sky.pk])) for sky in skies]
    trends = States.of(Curves.of(light), float("inf")) if light else None
    said, silent = classifications.spoken([one.pk for one in skies], details=False)
    made = []
    for i, (rank, sky, rows_) in enumerate(zip(ranks, skies, light, strict=True)):
        rank.ranking = ranking
        claimed = next((mark["by"] for mark in rank.shown_marks if mark["kind"] == marks.Kind.CLAIM), "")
        asked = [one["state"] for one in rank.shown_requests]
        seen_tonight = rank.visibility
        history = trends.history(i) if trends is not None else None
        made.append(
            Row(
                rank,
                sky,
                None if rank.target_name is None else sky.target_id,
                rank.target_name or next(iter(public_names(members[sky.pk])), f"sky object {sky.pk}"),
                *states.of(rank.seen_evidence, sky.evidence, claimed, asked),
                rank.ambiguous,
                asked,
                rank.shown_marks,
                _ends(rank.shown_stamps),
                said.get(sky.pk, ()),
                silent.get(sky.pk, ()),
                None if history is None else history.trend,
                line(rank.terms),
                svg.light_curve(rows_, now, **CURVE),
                svg.altitude(seen_tonight, lowest, now, **NIGHT),
                seen_tonight["moon_separation"],
            )
        )
    return made


def _ranks(user: visible.User) -> Any:
    """Ranks with their objects, the members of these, and what is in few rows of other tables, in columns."""
    of = OuterRef("sky_object")
    undecided = visible.undecided(user)
    matched = Q(Exists(undecided.filter(sky_object=of))) | Q(Exists(undecided.filter(survey_object__sky_object=of)))
    images = Stamps.objects.filter(survey_object__sky_object=of).exclude(science=None, template=None, difference=None)
    images = images.annotate(plain=Q(template=None))
    return Rank.objects.select_related("sky_object").annotate(
        target_name=Subquery(visible.targets(user).filter(pk=OuterRef("sky_object__target")).values("name")[:1]),
        seen_evidence=Subquery(seen.by(user).filter(sky_object=of).values("evidence")[:1]),
        ambiguous=matched,
        shown_members=Rows(SurveyObject.objects.filter(sky_object=of), "pk", "survey", "object_id", "names"),
        shown_marks=Rows(marks.active().filter(sky_object=of).order_by("pk"), "kind", "text", by="author__username"),
        shown_requests=Rows(visible.requests(user).filter(sky_object=of).order_by("-created"), "pk", "state"),
        shown_stamps=Rows(images.order_by("mjd"), "pk", "slot", "mjd", "plain"),
    )


def _ends(stamps: Sequence[Mapping[str, Any]]) -> list[Stamp]:
    """The earliest and the latest stamps, if possible with a template (ATLAS sends none)."""
    every = sorted(stamps, key=lambda one: (one["plain"], one["mjd"]))[:1]
    latest = max(stamps, key=lambda one: (not one["plain"], one["mjd"]), default=None)
    if latest is not None and latest["pk"] != every[0]["pk"]:
        every.append(latest)
    return [Stamp(one["pk"], one["slot"], one["mjd"]) for one in every]
