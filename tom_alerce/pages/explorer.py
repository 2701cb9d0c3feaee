"""The Explorer: everything that is stored, by a filter that is built on the page, as table, gallery, map or file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django import forms
from django.http import HttpRequest
from django.views.generic import TemplateView

from classifiers.taxonomy import LIGHTCURVE
from followup import filters
from followup.filters import FilterError, Tree
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SkyObject, Stamps, Traits
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.figures import skymap
from tom_alerce.pages.filters import SearchField, named_or_near
from tom_alerce.pages.theme import theme
from tom_alerce.store import explore, saved
from tom_alerce.store.explore import Search

#: Objects on a page, dots of a map, and characters of a filter at most.
SIZE, DOTS, LONGEST = 50, 5000, 20_000
SHOWN = ("table", "gallery", "map")
#: Ending of a file of the results, and what it is called.
FORMATS = {"csv": "CSV", "vot": "VOTable", "parquet": "Parquet"}
#: Filters to begin with, with what they are for.
EXAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "young and rising",
        {"and": [{"field": "age", "op": "<", "value": 10}, {"field": "rise", "op": ">", "value": 0.05}]},
    ),
    (
        "supernovae near their peak",
        {
            "and": [
                {"field": "class", "classifier": "any", "class": "Transient", "op": ">=", "value": 0.6},
                {"field": "peak", "op": "between", "value": [-4, 4]},
            ]
        },
    ),
    (
        "odd light curves",
        {"and": [{"field": "oddness", "op": ">", "value": 0.95}, {"field": "detections", "op": ">=", "value": 10}]},
    ),
    (
        "in a near galaxy, nobody's yet",
        {
            "and": [
                {"field": "distance", "op": "<", "value": 100},
                {"field": "last_seen", "op": "<", "value": 30},
                {"field": "mark", "op": "none of", "value": ["claim", "veto"]},
            ]
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: the search, the text of the filter as it came, order, and what is wrong with it."""

    search: Search
    text: str
    query: str
    order: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One object of the results."""

    sky: SkyObject
    traits: Traits
    classes: Sequence[tuple[str, str, float]]
    stamps: Stamps | None = None


class ExplorerView(ViewerMixin, TemplateView):
    """``/alerce/explorer/``: objects that pass ``?filter=``, near or named ``?query=``, as ``?show=``, by ``?sort=``, after ``?after=``."""

    template_name = "tom_alerce/explorer.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        given = self.request.GET
        asked = read(self.request)
        show = next((one for one in SHOWN if one == given.get("show")), SHOWN[0])
        context = super().get_context_data(**kwargs) | _form(asked) | {"show": show, "alerce_theme": theme(self.request)}
        context |= {"saved": saved.seen_by(self.request.user), "whole": SkyObject.objects.filter(moving=False).count()}
        context |= {"shows": SHOWN, "parameters": _address(self.request, "show"), "formats": FORMATS.items()}
        if asked.problem:
            return context
        rows, after = asked.search.page(asked.order, given.get("after", ""), SIZE)
        found = _found(rows, self.request.user, stamps=show == "gallery")
        context |= {"found": found, "count": asked.search.count(), "looked": Traits.objects.count()}
        context |= {"next": after and _address(self.request, "show", show=show, after=after), "first": bool(given.get("after"))}
        if show == "map":
            context |= {"map": _map(asked, found), "dots": min(DOTS, context["count"])}
        return context


def read(request: HttpRequest) -> Asked:
    """What the address of a page or of a file asks for."""
    given, at, problem = request.GET, now_mjd(), ""
    text, query = given.get("filter", "").strip(), given.get("query", "").strip()
    tree: Tree = filters.parse({})
    within = None
    try:
        tree = parsed(text)
        if query:
            query = str(SearchField(required=False, max_length=100).clean(query))
            within = named_or_near(SkyObject.objects.all(), query, request.user)
    except FilterError as error:
        problem = str(error)
    except forms.ValidationError as error:
        problem = " ".join(error.messages)
    search = Search(tree, at, within)
    return Asked(search, text[:LONGEST], query[:100], explore.known_order(given.get("sort", "")), problem)


def parsed(text: str) -> Tree:
    """The tree of a text, every object for ''; FilterError where it is no JSON or no filter."""
    if len(text) > LONGEST:
        raise FilterError(f"filter: longer than {LONGEST} characters")
    try:
        return filters.parse(json.loads(text) if text else {})
    except (ValueError, RecursionError) as error:
        raise FilterError(f"filter: no JSON: {str(error)[:100]}") from error


def _form(asked: Asked) -> dict[str, Any]:
    """Context of the form: what was asked for, and what blocks can be built of."""
    text = asked.text if asked.problem else json.dumps(filters.body(asked.search.tree))
    return {
        "asked": asked,
        "filter": text,
        "words": "" if asked.problem else filters.words(asked.search.tree),
        "fields": fields(),
        "orders": [
            (sign + name, f"{title}{', falling' if sign else ''}") for name, title in explore.orders().items() for sign in ("", "-")
        ],
        "examples": [(title, json.dumps(body)) for title, body in EXAMPLES],
    }


def fields() -> list[dict[str, Any]]:
    """Every field as the script of the page reads it."""
    return [
        {
            "name": name,
            "family": family,
            "title": one.title,
            "help": one.help,
            "unit": one.unit,
            "kind": one.kind.value,
            "operators": filters.OPERATORS[one.kind],
            "choices": one.choices,
            "arguments": {
                key: {"choices": about.choices, "default": about.default or "", "open": about.open, "help": about.help}
                for key, about in one.arguments.items()
            },
        }
        for family, own in filters.families().items()
        for name, one in own.items()
    ]


def _found(rows: Sequence[Traits], user: visible.User, stamps: bool) -> list[Found]:
    """Results with the names that the reader may see."""
    skies = explore.named(rows)
    visible.reveal(user, list(skies.values()))
    pictures = _stamps(list(skies)) if stamps else {}
    return [Found(skies[one.pk], one, best(one.classes), pictures.get(one.pk)) for one in rows if one.pk in skies]


def best(classes: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """Classifier, its most probable class, and the probability, of each classifier; branches of the hierarchy are no classes."""
    found: dict[str, tuple[str, str, float]] = {}
    for key, probability in classes.items():
        classifier, colon, label = key.partition(":")
        if colon and classifier not in ("any", "every", "mean") and label not in LIGHTCURVE:
            found[classifier] = max(found.get(classifier, (classifier, "", 0.0)), (classifier, label, probability), key=lambda one: one[2])
    return list(found.values())


def _stamps(keys: Sequence[int]) -> dict[int, Stamps]:
    """Latest stamps of objects, without their pixels, by key of the object."""
    rows = Stamps.objects.filter(survey_object__sky_object__in=keys).exclude(science=None, template=None, difference=None)
    light = rows.defer("science", "template", "difference", "metadata").select_related("survey_object").order_by("mjd")
    return {one.survey_object.sky_object_id: one for one in light}


def _map(asked: Asked, found: Sequence[Found]) -> skymap.Map:
    rows = list(asked.search.rows.order_by(*explore.ordering(asked.order)).values_list("ra", "dec")[:DOTS])
    places = np.array(rows, float).reshape(-1, 2)
    links = [(one.sky.pk, one.sky.name, one.sky.ra, one.sky.dec) for one in found]
    return skymap.skymap(places[:, 0], places[:, 1], links)


def _address(request: HttpRequest, without: str, **more: str) -> str:
    """Query of the address of this page, without a parameter and the place in the results, and with others."""
    kept = {name: str(request.GET[name]) for name in ("filter", "query", "sort", "show") if name in request.GET and name != without}
    return urlencode(kept | more)
