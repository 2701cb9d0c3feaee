"""Everything that the page of an object says, as one JSON: what the reader may see of it."""

from __future__ import annotations

from typing import Any

from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, SkyObject
from tom_alerce.pages import context, forecasts, people, photometry
from tom_alerce.pages.summaries import summarise
from tom_alerce.store import marks, rankings
from tom_alerce.store.sanitize import json_safe

#: Rows of the history of classifications at most.
HISTORY = 1000


def of(sky: SkyObject, user: visible.User) -> dict[str, Any]:
    """Identity, place, measurements, classes with their history, forecast, rank, and what people say, as plain JSON.

    Keys are text, since some exceed 2**53; times are MJD UTC or ISO 8601, fluxes nJy.
    """
    summary = summarise([sky], user)[sky.pk]
    place = context.place(sky, summary.detections)
    rank = rankings.rank_of(sky)
    history = Classification.objects.filter(sky_object=sky).order_by("-created", "-pk")[:HISTORY]
    found = {
        "id": str(sky.pk), "name": sky.name, "names": sky.public_names, "ra": sky.ra, "dec": sky.dec, "position_err": sky.position_err,
        "first_mjd": sky.first_mjd, "last_mjd": sky.last_mjd, "first_seen_mjd": sky.first_seen_mjd, "n_detections": sky.n_detections,
        "n_seen": sky.n_seen, "moving": sky.moving, "evidence": sky.evidence,
        "target": None if sky.seen_target is None else str(sky.target_id),
        "members": [_member(one) for one in sky.survey_objects.all()],
        "photometry": photometry.light_curve(summary.detections, photometry.on_star(sky)),
        "statistics": photometry.statistics(summary.detections),
        "stamps": [{"id": str(one.pk), "survey_object": str(one.survey_object), "mjd": one.mjd} for one in summary.stamps],
        "classifications": [_classification(one, sky) for one in history],
        "forecast": forecasts.of(summary, now_mjd()),
        "place": _place(place),
        "rank": None if rank is None else {
            "site": rank.ranking.site, "night": rank.ranking.night, "profile": rank.ranking.profile, "place": rank.place,
            "score": rank.score, "hours": rank.hours, "magnitude": rank.magnitude, "vetoed": rank.vetoed, "terms": rank.terms,
        },
        "requests": [{"id": str(one.pk), "facility": one.facility, "state": one.state, "message": one.message} for one in summary.requests],
        **_said(sky, user),
    }  # fmt: skip
    cleaned: dict[str, Any] = json_safe(found)
    return cleaned


def _said(sky: SkyObject, user: visible.User) -> dict[str, Any]:
    said = people.said(sky, user)
    listed = marks.shown([sky.pk]).get(sky.pk, ())
    return {
        "labels": [{"label": one.label, "by": one.by, "text": one.text, "created": one.created.isoformat()} for one in said["labels"]],
        "tags": said["tags"],
        "files": [{"id": str(one.pk), "name": one.name, "size": one.size} for one in said["files"] or ()],
        "marks": [{"kind": one.kind, "by": one.by, "text": one.text, "created": one.created.isoformat()} for one in listed],
    }


def _member(one: Any) -> dict[str, Any]:
    names = (
        "survey",
        "object_id",
        "names",
        "ra",
        "dec",
        "method",
        "separation",
        "first_mjd",
        "last_mjd",
        "n_detections",
        "n_seen",
        "doubts",
    )
    return {name: getattr(one, name) for name in names}


def _classification(one: Classification, sky: SkyObject) -> dict[str, Any]:
    names = ("origin", "classifier", "version", "label", "probability", "probabilities", "details", "n_detections", "mjd", "evidence")
    row = {name: getattr(one, name) for name in names}
    return row | {"created": one.created.isoformat(), "of_present_evidence": one.evidence == sky.evidence}


def _place(place: context.Place) -> dict[str, Any]:
    tns = place.tns
    galaxies = [{"name": one.name, "probability": one.probability, "redshift": one.redshift, "kpc": one.kpc} for one in place.galaxies]
    return {
        "redshift": place.redshift, "redshift_from": place.redshift_from, "distance_mpc": place.distance, "reddening": place.reddening,
        "brightest_absolute": place.brightest, "band": place.band, "tns": None if tns is None else {"name": str(tns), "type": tns.type},
        "hosts": galaxies, "hostless": place.hostless,
    }  # fmt: skip
