"""Pages of the profiles: what each is, its order beside others, its versions, and a form with the order that it would give at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from followup.profiles import Profile
from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, SkyObject
from tom_alerce.pages import profile_form as form
from tom_alerce.pages.access import ViewerMixin, refusing, viewers_only
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import campaign, preview
from tom_alerce.requests.rights import require
from tom_alerce.store import classifications
from tom_alerce.store import profiles as store
from tom_alerce.store.errors import StoreError

#: Profiles that are shown beside each other at most.
BESIDE = 4
#: Observations of a replay that are listed.
LATEST = 20
#: Nights and objects of a replay, which is waited for.
NIGHTS, REPLAYED = 30, 300


class ProfilesView(ViewerMixin, TemplateView):
    """``/alerce/profiles/``: all profiles in use; those of ``?beside=`` with the order that each gives now."""

    template_name = "tom_alerce/profiles.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        every = store.every()
        chosen = [every[name] for name in dict.fromkeys(self.request.GET.getlist("beside")) if name in every][:BESIDE]
        context |= {"profiles": list(every.values()), "chosen": [one.name for one in chosen], "most": BESIDE}
        if chosen:
            at = now_mjd()
            pool = preview.pool(at)
            context["beside"] = [(one, _order(one, pool, at, self.request)) for one in chosen]
        return context | {"may_configure": visible.may(self.request.user, "configure")}


class ProfileView(ViewerMixin, TemplateView):
    """``/alerce/profiles/<name>/``: one profile, or its ``?version=``; a form for accounts with the role ``configure``."""

    template_name = "tom_alerce/profile.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        name = self.kwargs["name"]
        profile, known = _profile(name, self.request.GET.get("version", "")), store.versions(name)
        return super().get_context_data(**kwargs) | _fields(self.request, profile, known)


def _profile(name: str, number: str) -> Profile:
    """A version of a profile, that in use for ''; 404 without it."""
    try:
        return store.version(name, int(number)) if number.isdecimal() and len(number) < 9 else store.current(name)
    except (StoreError, FollowupError) as error:
        raise Http404(str(error)) from error


def _fields(request: HttpRequest, profile: Profile, versions: Sequence[store.Version]) -> dict[str, Any]:
    used = next((one.number for one in versions if one.active), None)
    return {
        "alerce_theme": theme(request),
        "profile": profile,
        "merits": form.merits(profile),
        "vetoes": form.vetoes(profile),
        "rest": form.rest(profile),
        "values": {
            "title": profile.title,
            "description": profile.description,
            "name": profile.name,
            "cuts_days": profile.cuts.days,
            "cuts_detections": profile.cuts.detections,
            "budget_slots": profile.budget.slots,
            "budget_hours": profile.budget.hours,
        },
        "versions": versions,
        "used": used,
        "may_configure": visible.may(request.user, "configure"),
    }


def _order(profile: Profile, pool: preview.Pool, at: float, request: HttpRequest) -> dict[str, Any]:
    """Order of the pool by a profile, beside the one in use of its name, with the names that the reader may see; or what is wrong."""
    try:
        used = store.every().get(profile.name)
        before = preview.order(used, pool, at) if used is not None and used != profile else None
        made = preview.preview(profile, pool, at, before)
    except FollowupError as problem:
        return {"problem": str(problem)}
    named = _named([place.key for place in made.places], request)
    rows = [(place, named[place.key]) for place in made.places if place.key in named]
    return {"preview": made, "rows": rows, "compared": before is not None, "pool": preview.POOL}


@viewers_only
def order(request: HttpRequest, name: str) -> HttpResponse:
    """``/alerce/profiles/<name>/order/``: the order by what the form says (POST) or by a version (GET), a part of the page."""
    base, at = _profile(name, request.GET.get("version", "")), now_mjd()
    try:
        profile = form.read(request.POST, base) if request.method == "POST" else base
    except StoreError as refusal:
        return render(request, "tom_alerce/partials/order.html", {"problem": str(refusal)})
    return render(request, "tom_alerce/partials/order.html", _order(profile, preview.pool(at), at, request))


@require_POST
@viewers_only
def caught(request: HttpRequest, name: str) -> HttpResponse:
    """``/alerce/profiles/<name>/caught/``: what the profile that the form says would have observed on the last nights."""
    base = _profile(name, request.GET.get("version", ""))
    try:
        made = campaign.past(form.read(request.POST, base) if "title" in request.POST else base, NIGHTS, most=REPLAYED)
    except (StoreError, FollowupError) as refusal:
        return render(request, "tom_alerce/partials/caught.html", {"problem": str(refusal)})
    latest = made.picks[: -LATEST - 1 : -1]
    named = _named([int(pick.key) for pick in latest], request)
    rows = [(pick, named[int(pick.key)]) for pick in latest if int(pick.key) in named]
    return render(request, "tom_alerce/partials/caught.html", {"made": made, "rows": rows, "most": REPLAYED, **_by_class(made)})


def _by_class(made: campaign.Campaign) -> dict[str, Any]:
    """Number of observations by what is said of their objects by now: the most probable class of all classifications."""
    keys = [int(pick.key) for pick in made.picks]
    best: dict[int, tuple[float, str]] = {}
    said = classifications.last(Classification.objects.filter(sky_object__in=keys))
    for key, label, probability in said.values_list("sky_object", "label", "probability"):
        best[key] = max(best.get(key, (-1.0, "")), (probability, label))
    return {"by_class": Counter(best.get(key, (0.0, ""))[1] for key in keys).most_common()}


def _named(keys: Sequence[int], request: HttpRequest) -> dict[int, SkyObject]:
    """Sky objects by key, with the names that the reader may see."""
    skies = visible.sky_objects(request.user).filter(pk__in=keys)
    return {sky.pk: sky for sky in skies.prefetch_related("survey_objects", visible.seen_target(request.user))}


def _configured(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view of a POST by an account with the role ``configure``; a refusal is a message on the page of the profiles."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(request.user, "configure")
        try:
            return view(request, *args, **kwargs)
        except (StoreError, FollowupError) as refusal:
            messages.error(request, f"Not done: {refusal}")
            return redirect("tom_alerce:profiles")

    return refusing(guarded)


@_configured
def save(request: HttpRequest, name: str) -> HttpResponse:
    """Store what the form says as the next version, and use it; where it is refused, the form is shown again as it was filled in."""
    base = _profile(name, request.POST.get("version", ""))
    try:
        made = store.save(form.read(request.POST, base), request.user)
    except StoreError as refusal:
        messages.error(request, f"Not stored: {refusal}")
        return render(request, "tom_alerce/profile.html", _entered(request, base))
    messages.success(request, f"{made.title}: version {made.version} is in use.")
    return redirect("tom_alerce:profile", made.name)


def _entered(request: HttpRequest, base: Profile) -> dict[str, Any]:
    """Context of the page with what was entered."""
    context, data = _fields(request, base, store.versions(base.name)), request.POST
    context |= {name: form.entered(context[name], data) for name in ("merits", "vetoes")}
    values = {name: data.get(name.replace("_", "-"), "") for name in context["values"]}
    return context | {"values": values, "rest": data.get("rest", "")}


@_configured
def use(request: HttpRequest, name: str) -> HttpResponse:
    """Use another version."""
    number = request.POST.get("version", "")
    if not (number.isdecimal() and len(number) < 9):
        raise StoreError("which version?")
    chosen = store.use(name, int(number))
    messages.success(request, f"{chosen.title}: version {chosen.version} is in use.")
    return redirect("tom_alerce:profile", name)


@_configured
def retire(request: HttpRequest, name: str) -> HttpResponse:
    """Use no stored version of the profile any more."""
    store.retire(name)
    messages.success(request, f"No stored version of {name} is in use; they are kept.")
    return redirect("tom_alerce:profiles")


@_configured
def read(request: HttpRequest) -> HttpResponse:
    """Store the profile of a file as the next version of its name, and use it."""
    file = request.FILES.get("file")
    if file is None:
        raise StoreError("no file was chosen")
    made = store.save(store.read(file.read(store.LARGEST + 1)), request.user)
    messages.success(request, f"{made.title}: version {made.version} is in use.")
    return redirect("tom_alerce:profile", made.name)


@viewers_only
def export(request: HttpRequest, name: str) -> HttpResponse:
    """``/alerce/profiles/<name>.json``: the profile as a file."""
    profile = _profile(name, request.GET.get("version", ""))
    disposition = f'attachment; filename="{profile.name}-{profile.version}.json"'
    return HttpResponse(profile.to_json(), content_type="application/json; charset=utf-8", headers={"Content-Disposition": disposition})
