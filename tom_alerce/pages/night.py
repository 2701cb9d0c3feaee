"""The night plan: what is observed when and where, what each choice costs, and the plan as a file or as requests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from followup.plan import load_facility
from followup.records import FollowupError
from followup.sites import SITES
from followup.visibility import airmass
from tom_alerce import conf, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SkyObject
from tom_alerce.pages import bulk, exports
from tom_alerce.pages.access import ViewerMixin, refusing, viewers_only
from tom_alerce.pages.figures.timeline import timeline
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline.night import MOST, Planned, plan_night
from tom_alerce.requests.facilities import facility_name
from tom_alerce.requests.rights import require
from tom_alerce.store import profiles, rankings

#: Sites of a plan at most, and days around now that may be planned.
SITES_AT_MOST, DAYS = 4, 30.0
#: A plan is for a whole minute, so that its files and requests are of the same plan.
MINUTE = 1.0 / 1440.0


class PlanForm(forms.Form):
    """What is planned: which sites and instrument, how many hours, observations and candidates, and for which time."""

    site = forms.MultipleChoiceField(required=False, label="Sites")
    profile = forms.ChoiceField(required=False)
    instrument = forms.ChoiceField(required=False)
    hours = forms.FloatField(required=False, min_value=0.1, max_value=24.0, label="Hours of each telescope")
    most = forms.IntegerField(required=False, min_value=1, max_value=MOST, label="Observations at most")
    top = forms.IntegerField(required=False, min_value=1, max_value=MOST, label="From the best")
    at = forms.FloatField(required=False, label="MJD")

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        own, titles = rankings.site_name(), {name: one.title for name, one in profiles.every().items()}
        self.where: dict[str, Any] = {own: conf.get("SITE"), **{name: name for name in SITES if name != own}}
        instruments = getattr(load_facility(facility_name()), "INSTRUMENTS", {})
        choices = {
            "site": [(name, name) for name in self.where],
            "profile": [(name, titles[name]) for name in titles],
            "instrument": [("", "as in the settings"), *((name, name) for name in instruments)],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = offered

    def clean_site(self) -> list[str]:
        """At most `SITES_AT_MOST`; none means those of the profile."""
        chosen: list[str] = self.cleaned_data["site"]
        if len(chosen) > SITES_AT_MOST:
            raise forms.ValidationError(f"at most {SITES_AT_MOST} sites can be planned together")
        return chosen

    def clean_at(self) -> float:
        """The time, to a minute; now where none is given."""
        at = self.cleaned_data["at"]
        at = now_mjd() if at is None else at
        if abs(at - now_mjd()) > DAYS:
            raise forms.ValidationError(f"only the {DAYS:.0f} days before and after now can be planned")
        return math.floor(at / MINUTE + 1e-6) * MINUTE

    def options(self) -> dict[str, Any]:
        """Arguments of `tom_alerce.pipeline.night.plan_night`."""
        data = self.cleaned_data
        limits = {name: math.inf if data[name] is None else float(data[name]) for name in ("hours", "most")}
        return {
            "sites": [self.where[name] for name in data["site"]],
            "at": data["at"],
            "instrument": data["instrument"],
            "profile": data["profile"] or rankings.profile_name(),
            "top": data["top"] or MOST,
            **limits,
        }


def _keys(data: QueryDict, name: str) -> list[int]:
    """Keys of objects in the address: at most `MOST`, of at most 18 digits."""
    return [int(key) for key in dict.fromkeys(data.getlist(name)) if key.isdecimal() and len(key) <= 18][:MOST]


class Asked:
    """The plan that an address asks for; FollowupError if there can be none."""

    def __init__(self, request: HttpRequest) -> None:
        self.form = PlanForm(request.GET)
        if not self.form.is_valid():
            raise FollowupError("; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in self.form.errors.items()))
        self.options = self.form.options()
        self.forced, self.without = _keys(request.GET, "with"), _keys(request.GET, "without")
        self.planned: Planned = plan_night(**self.options, forced=self.forced, without=self.without)
        skies = visible.sky_objects(request.user).filter(pk__in=[int(c.key) for c in self.planned.candidates])
        named = {sky.pk: sky for sky in skies.prefetch_related("survey_objects", visible.seen_target(request.user))}
        self.skies = [named[int(c.key)] for c in self.planned.candidates]
        self.query = request.GET.copy()
        self.query["at"] = f"{self.options['at']:.6f}"

    def lines(self, request: HttpRequest) -> list[exports.Line]:
        """Observations of the plan."""
        return [_line(self.planned, self.skies, i, request) for i in range(len(self.planned.plan.blocks))]

    def address(self, name: str, key: int) -> str:
        """Query of the plan with one more object in the list ``name``, and out of the other list."""
        query, text, other = self.query.copy(), str(key), "without" if name == "with" else "with"
        query.setlist(other, [k for k in query.getlist(other) if k != text])
        query.setlist(name, [*(k for k in query.getlist(name) if k != text), text])
        return query.urlencode()


def _line(planned: Planned, skies: Sequence[SkyObject], index: int, request: HttpRequest) -> exports.Line:
    plan, block = planned.plan, planned.plan.blocks[index]
    telescope, sky = plan.telescopes[block.telescope], skies[block.target]
    night, middle = telescope.night, (block.start + block.end) / 2.0
    until = next(end for begin, end in telescope.windows(block.target) if begin - 1e-9 <= block.start and block.end <= end + 1e-9)
    return exports.Line(
        number=index + 1,
        key=sky.pk,
        name=sky.name,
        site=night.site.name,
        instrument=telescope.instrument,
        ra=sky.ra,
        dec=sky.dec,
        start=block.start,
        end=block.end,
        visible_until=until,
        exposures=", ".join(f"{e.filter} {e.count} × {e.seconds:g} s" for e in telescope.exposures[block.target]),
        airmass=float(airmass(np.interp([middle], night.times, night.altitude[block.target]))[0]),
        moon=float(np.interp(middle, night.times, night.moon_separation[block.target])),
        value=block.value,
        price=float(plan.price[block.target]) / plan.value,
        address=request.build_absolute_uri(reverse("tom_alerce:object", args=[sky.pk])),
    )


class NightView(ViewerMixin, TemplateView):
    """``/alerce/night/``: the plan that the address asks for, by default of tonight at the site of the settings."""

    template_name = "tom_alerce/night.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        context["ranking"] = rankings.current(profile=self.request.GET.get("profile", ""))
        try:
            asked = Asked(self.request)
        except FollowupError as problem:
            return context | {"problem": str(problem), "form": _form(self.request)}
        plan, skies = asked.planned.plan, asked.skies
        chosen = [(line, asked.address("without", line.key)) for line in asked.lines(self.request)]
        return context | {
            "form": asked.form,
            "plan": plan,
            "chosen": chosen,
            "left": _left(asked),
            "timeline": timeline(plan, [sky.name for sky in skies], now_mjd()),
            "planned_sites": [telescope.night.site.name for telescope in plan.telescopes],
            "several": len(plan.telescopes) > 1,
            "at": asked.options["at"],
            "query": asked.query.urlencode(),
            "changed": _changed(asked),
            "may_request": visible.may(self.request.user, "request"),
            "hours": sum(b.end - b.start for b in plan.blocks) * 24.0,
        }


def _form(request: HttpRequest) -> PlanForm | None:
    """The form as it was filled in; None where the facility of the settings cannot be used."""
    try:
        return PlanForm(request.GET)
    except FollowupError:
        return None


def _left(asked: Asked) -> list[dict[str, Any]]:
    """Candidates that are not in the plan, the best first: what they score, why not, and what it would cost."""
    plan = asked.planned.plan
    scores = {i: max(float(t.scores[i]) for t in plan.telescopes) for i in plan.left}
    return [
        {
            "sky": asked.skies[i],
            "score": scores[i],
            "why": plan.left[i],
            "force": asked.address("with", asked.skies[i].pk) if math.isfinite(plan.price[i]) else "",
        }
        for i in sorted(plan.left, key=lambda i: (-scores[i], i))
    ]


def _changed(asked: Asked) -> Mapping[str, Any] | None:
    """What the choices of a person cost against the free plan, and which objects leave or enter for them; None without a choice."""
    if not (asked.forced or asked.without):
        return None
    free = plan_night(**asked.options)
    before = {int(free.candidates[b.target].key) for b in free.plan.blocks}
    after = {int(asked.planned.candidates[b.target].key) for b in asked.planned.plan.blocks}
    names = {sky.pk: sky for sky in asked.skies}
    free_query = asked.query.copy()
    for name in ("with", "without"):
        free_query.pop(name, None)
    return {
        "loss": 1.0 - asked.planned.plan.value / free.plan.value if free.plan.value else 0.0,
        "out": [names[key] for key in sorted(before - after) if key in names],
        "in": [names[key] for key in sorted(after - before) if key in names],
        "free": free_query.urlencode(),
    }


def _file(request: HttpRequest, kind: str, suffix: str) -> HttpResponse:
    try:
        asked = Asked(request)
    except FollowupError as problem:
        return HttpResponse(f"No plan: {problem}", status=400, content_type="text/plain; charset=utf-8")
    lines = asked.lines(request)
    text = exports.table(lines) if suffix == "csv" else exports.calendar(lines, asked.options["at"], request.get_host())
    name = f"alerce-night-{asked.planned.plan.telescopes[0].night.date}.{suffix}"
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@viewers_only
def table(request: HttpRequest) -> HttpResponse:
    """``/alerce/night/plan.csv``."""
    return _file(request, "text/csv", "csv")


@viewers_only
def calendar(request: HttpRequest) -> HttpResponse:
    """``/alerce/night/plan.ics``."""
    return _file(request, "text/calendar", "ics")


@refusing
def ask(request: HttpRequest) -> HttpResponse:
    """``/alerce/night/requests/``: draft and check the requests of the plan in the address, and show them together. Nothing is sent."""
    require(request.user, "request")
    back = f"{reverse('tom_alerce:night')}?{request.GET.urlencode()}"
    try:
        asked = Asked(request)
    except FollowupError as problem:
        messages.error(request, f"Not done: {problem}")
        return redirect(back)
    rows, refused = bulk.prepare(asked.planned.requests, rankings.current(profile=asked.options["profile"]), request.user)
    for why in refused:
        messages.warning(request, why)
    if not rows:
        messages.error(request, "Not done: no request of this plan could be drafted.")
        return redirect(back)
    return redirect(bulk.address(rows))
