"""The board: the current ranking as a table, to plan a night from."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.generic import TemplateView

from followup.records import Limits
from tom_alerce import conf, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Drift, Mention, Profile, Ranking
from tom_alerce.pages import listing, refresh
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.clock import clock
from tom_alerce.pages.filters import BoardFilter
from tom_alerce.pages.rows import rows
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline.rank import why_empty
from tom_alerce.store import drift, profiles, rankings

#: Digits of the largest key.
LONGEST_KEY = 18
#: Age (days) at which a ranking is marked as old.
STALE = 0.5
#: Rows of a page, and at most, whatever is asked for.
ROWS, MOST = 25, 100
#: Headings of the table: CSS class, text, and the order by which a click sorts.
HEADINGS = (
    ("place", "#", "place"), ("object", "Object", "-first"), ("score", "Score", "-score"), ("stamps", "Stamps", ""),
    ("classes", "Classes", ""), ("curve", "Light curve", "magnitude"), ("night", "Tonight", "-hours"),
)  # fmt: skip
#: Marks that are put on many objects at once, or by a key.
MARKS = (("pin", "Pin"), ("claim", "Claim"), ("snooze", "Snooze"), ("veto", "Veto"), ("note", "Note"))


class BoardView(ViewerMixin, TemplateView):
    """``/alerce/``: the current ranking (`tom_alerce.store.rankings.current`), by ``?profile=``, or the one named by ``?ranking=``.

    ``?part=rows`` is the table alone; with ``since`` (`tom_alerce.pages.refresh`) it is empty, 204, unless something has changed.
    """

    template_name = "tom_alerce/board.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with the page, its table, or nothing new."""
        self.ranking, self.offered = chosen(request)
        if request.GET.get("part") == "rows":
            if not refresh.is_new(self.ranking, request.GET.get("since", "")):
                return HttpResponse(status=204)
            self.template_name = "tom_alerce/partials/board_rows.html"
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: its ranks as rows."""
        request, user, now = self.request, self.request.user, now_mjd()
        ranking, found = self.ranking, Board(request, self.ranking, now)
        context = super().get_context_data(**kwargs) | {"ranking": ranking, "site": rankings.site_name(), "now": now}
        context |= {"may_mark": visible.may(user, "decide"), "may_request": visible.may(user, "request"), "alerce_theme": theme(request)}
        context |= {"filter": found.filter, "stamp": refresh.stamp(ranking, now), **_offered(ranking, self.offered)}
        if ranking is None:
            return context
        page = found.page()
        stale = now - ranking.now > STALE or not rankings.is_for_tonight(ranking, now)
        context |= {"rows": rows(list(page.object_list), ranking, user, now, lowest_altitude()), "page_obj": page, "marks": MARKS}
        context |= {"stale": stale and not ranking.supposed, "clock": clock(ranking.site, now), "not_tonight": _not_tonight(ranking)}
        context |= {"objects_at": _root("object"), "stamps_at": _root("stamps")}
        context |= {"orders": listing.ORDERS, "order": found.order, "headings": found.headings(), "query": found.query()}
        context["filtered"] = any(request.GET.get(name) for name in found.filter.filters)
        if not page.object_list and not context["filtered"] and not ranking.ranks.exists():
            context["why_empty"] = why_empty(ranking.now)
        return context


class Board:
    """What an address of the board asks for, of one ranking."""

    def __init__(self, request: HttpRequest, ranking: Ranking | None, now: float) -> None:
        self._request, self._ranking, self._now = request, ranking, now
        self.filter = BoardFilter(request.GET, rankings.ranks(ranking).filter(vetoed=False), request=request)
        self.order = listing.known(request.GET.get("sort", ""))

    def keys(self) -> list[int]:
        """Keys of all ranks that are listed, in their order."""
        ranks = self.filter.qs  # and so the form is clean
        only_up = bool(self.filter.form.cleaned_data.get("up"))
        return listing.keys(ranks, self.order, self._ranking, self._now, lowest_altitude(), only_up=only_up)

    def page(self) -> Page[int]:
        """The page that is asked for, or the nearest."""
        return Paginator(self.keys(), _size(self._request.GET.get("per_page", ""))).get_page(self._request.GET.get("page"))

    def query(self, **changes: str) -> str:
        """The query of the address with some changes, without the page."""
        kept = {name: value for name, value in self._request.GET.items() if name not in ("page", "part", "since")}
        return urlencode({name: value for name, value in {**kept, **changes}.items() if value})

    def headings(self) -> list[dict[str, str]]:
        """Headings with their links, and how they sort now: 'asc' or 'desc'."""
        now = self.order or "place"
        made = []
        for css, text, order in HEADINGS:
            is_now = now.removeprefix("-") == order.removeprefix("-")
            link = f"?{self.query(sort=_turned(order) if now == order else order)}" if order else ""
            made.append({"css": css, "text": text, "link": link, "sorts": _direction(now) if is_now else ""})
        return made


def _turned(order: str) -> str:
    return order.removeprefix("-") if order.startswith("-") else f"-{order}"


def _direction(order: str) -> str:
    return "desc" if order.startswith("-") else "asc"


def _size(text: str) -> int:
    """Rows of a page, from 1 to `MOST`, as a text asks for."""
    digits = text.removeprefix("-")
    if not (digits.isdecimal() and digits.isascii()):
        return ROWS
    return 1 if text.startswith("-") else min(max(int(digits[:LONGEST_KEY]), 1), MOST)


def chosen(request: HttpRequest) -> tuple[Any, list[Any]]:
    """The ranking that an address asks for, and those to choose from; 404 for one that there is not, or that no database holds.

    Each has the night that was compared last with the training set, ``psi`` and ``drift_night``, the ``body`` of its profile's version in
    use, and how many mentions of the reader are ``unread``: they are read together.
    """
    key, profile = request.GET.get("ranking", ""), request.GET.get("profile", "")
    measured = Drift.objects.order_by("-night", "-modified")
    body = Profile.objects.filter(name=OuterRef("profile"), active=True).values("body")[:1]
    unread = Mention.objects.filter(user=request.user.pk, read=None, mark__undone=None).order_by().values("user")
    beside: dict[str, Any] = {
        "unread": Subquery(unread.annotate(n=Count("pk")).values("n")),
        "psi": Subquery(measured.values("psi")[:1]),
        "drift_night": Subquery(measured.values("night")[:1]),
        "body": Subquery(body),
    }
    if not key.isdecimal():
        return rankings.chosen(None, profile, **beside)
    found = rankings.chosen(int(key), **beside) if len(key) <= LONGEST_KEY else (None, [])
    if found[0] is None:
        raise Http404("there is no such ranking: it may have been pruned")
    return found


def _offered(ranking: Any, every: list[Any]) -> dict[str, Any]:
    """Rankings to choose from with what to call them, by other profiles at the same site, and at other sites or times by the same one; and
    the night that has drifted, and how many mentions of the reader are unread.
    """
    site, profile = (ranking.site, ranking.profile) if ranking else (rankings.site_name(), rankings.profile_name())
    own = [one for one in every if one.site == site and not one.supposed]
    by_profile = [(one, profiles.title(one.profile, one.body)) for one in own]
    by_site = [(one, one.site) for one in every if one.profile == profile]
    return {
        "by_profile": by_profile,
        "by_site": by_site,
        "drifted": _drifted(every),
        "unread": every[0].unread if every else 0,
    }


def _drifted(every: list[Any]) -> Any:
    """The night that was compared last, if it has drifted: read with the rankings, where there are any."""
    if every:
        return every[0].drift_night if any(psi > conf.get("DRIFT_ALARM") for psi in (every[0].psi or {}).values()) else None
    latest = drift.latest_night()
    return latest.night if latest is not None and drift.drifted(latest) else None


def _root(name: str) -> str:
    """Address of the pages of that name without the key, since a reversal for each takes longer than the row."""
    return reverse(f"tom_alerce:{name}", args=[0]).partition("0")[0]


def _not_tonight(ranking: Ranking) -> int:
    """Number of places that vetoes keep out of tonight."""
    return len({place for own in ranking.places.vetoes.values() for place in own})


def lowest_altitude() -> float:
    """Degrees above which an object counts as observable: the altitude of the largest airmass, in a plane-parallel atmosphere."""
    return math.degrees(math.asin(1.0 / Limits(**conf.get("LIMITS")).max_airmass))
