"""The hunter: one candidate of a queue per screen, to keep, to drop or to put off by keys; a report of the night."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from broker_adapters.orientation import orientation
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Rank, Ranking, Scan, SkyObject, Stamps
from tom_alerce.pages import context, marks
from tom_alerce.pages.access import refusing, viewers_only
from tom_alerce.pages.board import lowest_altitude
from tom_alerce.pages.exports import harmless
from tom_alerce.pages.figures import chart, skymap, svg
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.theme import theme
from tom_alerce.requests.rights import require
from tom_alerce.store import labels, places, profiles, rankings, scans, seen
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

#: Buttons: decision, key and what they say.
BUTTONS = (("keep", "y", "Keep"), ("drop", "n", "Drop"), ("later", "l", "Later"))
#: Characters of a profile's name at most.
LONGEST = 64


def _queue(data: Any, user: visible.User) -> tuple[str, int]:
    """Profile and team that a form or an address names; the settings' profile and everybody where it names none of the user's."""
    profile, team = sanitize_text(data.get("profile", "")) or rankings.profile_name(), data.get("team", "")
    own = {str(key) for key in user.groups.values_list("pk", flat=True)} if team else set()
    return profile[:LONGEST], int(team) if team in own else 0


def _keys(ranking: Ranking | None) -> list[int]:
    """Objects of a ranking that may be observed, best first."""
    return list(rankings.ranks(ranking).filter(vetoed=False).values_list("sky_object", flat=True))


@require_GET
@viewers_only
def start(request: HttpRequest) -> HttpResponse:
    """``/alerce/hunter/``: the queue by ``profile`` and ``team`` on a map, how far it is, and the button that begins."""
    profile, team = _queue(request.GET, request.user)
    ranking = rankings.current(profile=profile)
    keys = _keys(ranking)
    left = set(scans.queue(keys, profile, team, request.user))
    rows = list(scans.of_night(scans.tonight(), profile, team))
    titles = {name: one.title for name, one in profiles.every().items()}
    shown = {"profile": profile, "team": team, "ranking": ranking, "left": len(left), "count": len(keys), "done": len(rows)}
    shown |= {"map": _map(keys, left), "titles": titles, "groups": request.user.groups.order_by("name")}
    shown |= {"may_mark": visible.may(request.user, "decide"), "alerce_theme": theme(request), "night": scans.tonight()}
    return render(request, "tom_alerce/hunter_start.html", shown)


def _map(keys: list[int], left: set[int]) -> skymap.Map | None:
    """The queue on the sky, what is left as links; None for an empty one."""
    rows = [(sky.pk, sky.public_name, sky.ra, sky.dec) for sky in SkyObject.objects.filter(pk__in=keys).prefetch_related("survey_objects")]
    done = [row for row in rows if row[0] not in left]
    return skymap.skymap([row[2] for row in done], [row[3] for row in done], [row for row in rows if row[0] in left]) if rows else None


@refusing
def go_on(request: HttpRequest) -> HttpResponse:
    """Take the next candidate of the queue, and show it."""
    require(request.user, "decide")
    return _next(request, *_queue(request.POST, request.user))


def _next(request: HttpRequest, profile: str, team: int) -> HttpResponse:
    row = scans.take(_keys(rankings.current(profile=profile)), profile, team, request.user)
    if row is not None:
        return redirect("tom_alerce:hunt", pk=row.pk)
    messages.info(request, "Nothing is left in this queue.")
    return redirect(f"{reverse('tom_alerce:hunter-report')}?{urlencode({'profile': profile, 'team': str(team)})}")


def _own(request: HttpRequest, pk: int) -> Scan:
    row: Scan = get_object_or_404(Scan.objects.select_related("sky_object", "user"), pk=pk)
    if row.team and not request.user.groups.filter(pk=row.team).exists():
        raise StoreError("it is the queue of a group that you are not in")
    return row


@require_GET
@viewers_only
def hunt(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/hunter/<pk>/``: one candidate, large."""
    try:
        row = _own(request, pk)
    except StoreError as refusal:
        messages.error(request, str(refusal))
        return redirect("tom_alerce:hunter")
    now, found = now_mjd(), row.sky_object
    summary = summarise([found], request.user)[found.pk]
    ranking = rankings.current(profile=row.profile)
    rank = Rank.objects.filter(ranking=ranking, sky_object=found).select_related("ranking").first() if ranking else None
    around = places.survey([found]).around
    shown = {"row": row, "sky": found, "summary": summary, "rank": rank, "now": now, "place": context.place(found, summary.detections)}
    shown |= {"curve": svg.light_curve(summary.detections, now, width=760, height=240), "buttons": BUTTONS}
    shown |= {
        "chart": chart.chart(around.sources, found.ra, found.dec),
        "pictures": _pictures(summary),
        "classes": labels.CLASSES,
    }
    shown |= {"night": svg.altitude(rank.visibility, lowest_altitude(), now, width=420, height=140) if rank else None}
    shown |= {"marks": marks.of([found.pk], request.user).get(found.pk, ()), "before": scans.before(row, request.user)}
    shown |= {"left": len(scans.queue(_keys(ranking), row.profile, row.team, request.user)), "alerce_theme": theme(request)}
    return render(request, "tom_alerce/hunter.html", shown | {"may_mark": visible.may(request.user, "decide")})


def _pictures(summary: Any) -> list[dict[str, Any]]:
    """The first and the latest stamps, each with where north and east are, if the alert says so."""
    shown = [one for one in (summary.latest_stamps, summary.first_stamps) if one is not None]
    files: dict[int, Any] = dict(Stamps.objects.filter(pk__in=[one.pk for one in shown]).values_list("pk", "science"))
    return [{"stamps": one, "way": orientation(bytes(files[one.pk])) if files.get(one.pk) else None} for one in shown]


@refusing
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep, drop or put off a candidate, and go on to the next."""
    require(request.user, "decide")
    row = _own(request, pk)
    try:
        scans.decide(row, request.user, request.POST.get("decision", ""), request.POST.get("text", ""))
    except StoreError as refusal:
        messages.warning(request, f"{row.sky_object}: {refusal}")
    else:
        seen.look([row.sky_object_id], request.user)
    return _next(request, row.profile, row.team)


@require_GET
@viewers_only
def report(request: HttpRequest) -> HttpResponse:
    """``/alerce/hunter/report/``: what was decided in the night ``night``, by whom; ``format=csv`` is a file."""
    profile, team = _queue(request.GET, request.user)
    try:
        night = dt.date.fromisoformat(request.GET.get("night", ""))
    except ValueError:
        night = scans.tonight()
    rows = list(scans.of_night(night, profile, team))
    skies = [row.sky_object for row in rows]
    visible.reveal(request.user, skies)
    prefetch_related_objects(skies, "survey_objects")
    if request.GET.get("format") == "csv":
        return HttpResponse(_table(rows), content_type="text/csv", headers={"Content-Disposition": 'attachment; filename="scanned.csv"'})
    people_ = Counter((str(row.user or "a former user"), row.decision) for row in rows)
    names = list(dict.fromkeys(name for name, _ in people_))
    table = [(name, [people_[name, decision] for decision, _, _ in BUTTONS]) for name in names]
    shown = {"rows": rows, "table": table, "night": night, "profile": profile, "team": team, "buttons": BUTTONS}
    return render(request, "tom_alerce/hunter_report.html", shown | {"alerce_theme": theme(request)})


def _table(rows: Sequence[Scan]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("object", "ra_deg", "dec_deg", "decision", "by", "utc", "text"))
    for row in rows:
        one = row.sky_object
        by, at = harmless(str(row.user or "a former user")), row.decided.isoformat() if row.decided else ""
        writer.writerow((harmless(one.name), f"{one.ra:.6f}", f"{one.dec:.6f}", row.decision, by, at, harmless(row.text)))
    return out.getvalue()
