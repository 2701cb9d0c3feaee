"""The description of the API in OpenAPI, made from its code, and the page that shows it; nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from rest_framework.routers import SimpleRouter

from tom_alerce.api import routes
from tom_alerce.models import FollowupRequest
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.theme import theme

#: Methods in the order in which a page has them.
_METHODS = ("get", "post", "patch", "delete")
_ABOUT = {
    "TITLE": "tom_alerce",
    "DESCRIPTION": "What the pages of tom_alerce show and do, for accounts of this TOM: `Authorization: Token <your token>`.",
    "VERSION": "1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {"RequestState": FollowupRequest.State.choices},
}


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    router = SimpleRouter()
    routes.register(router)
    with patched_settings(_ABOUT):
        generator: Any = SchemaGenerator
        made: dict[str, Any] = generator(patterns=[path("api/", include(router.urls))]).get_schema(request=None, public=True)
    return made


def schema() -> dict[str, Any]:
    """The description, OpenAPI 3."""
    return deepcopy(_schema())


@viewers_only
@require_safe
def described(request: HttpRequest) -> HttpResponse:
    """``/alerce/api/schema.json``: the description, for programs."""
    return JsonResponse(_schema())


@viewers_only
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """``/alerce/api/``: every address with what it takes and answers, for people."""
    return render(request, "tom_alerce/api.html", {"alerce_theme": theme(request), "groups": groups(_schema())})


def groups(made: dict[str, Any]) -> list[dict[str, Any]]:
    """Addresses by the kind of thing that they are about, as the page and the documentation list them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address, methods in made["paths"].items():
        kind = address.split("/")[2]
        found.setdefault(kind, []).extend(_operation(address, method, methods[method], made) for method in _METHODS if method in methods)
    return [{"name": name, "operations": rows} for name, rows in found.items()]


def _operation(address: str, method: str, one: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """One address and method, in words."""
    parameters = [p for p in one.get("parameters", ()) if p["in"] == "query" and p["name"] != "format"]
    status, answer = next((code, a) for code, a in one["responses"].items() if code.startswith("2"))
    content = answer.get("content", {})
    return {
        "method": method.upper(),
        "address": address,
        "text": one.get("description", ""),
        "parameters": [
            {"name": p["name"], "text": p.get("description") or "exactly this", "choices": _choices(p["schema"])} for p in parameters
        ],
        "body": list(_fields(_shape(one.get("requestBody", {}).get("content", {})), made)),
        "status": status,
        "type": next(iter(content), ""),
        "answer": list(_fields(_shape(content), made)),
    }


def _shape(content: dict[str, Any]) -> dict[str, Any]:
    """Schema of what is sent or answered, which is the same in each form."""
    shape: dict[str, Any] = next((one.get("schema", {}) for one in content.values()), {})
    return shape


def _choices(schema: dict[str, Any]) -> str:
    return ", ".join(str(one) for one in schema.get("enum", ()) if one not in ("", None))


def _fields(schema: dict[str, Any], made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Fields of what is sent or answered: of a list those of its items, of a page those of its results."""
    known = _resolved(schema, made)
    if known.get("type") == "array":
        yield from _fields(known["items"], made)
    elif "results" in known.get("properties", {}):
        yield from _fields(known["properties"]["results"], made)
    else:
        needed = known.get("required", ())
        for name, one in known.get("properties", {}).items():
            kind = _resolved(one, made)
            yield {"name": name, "type": kind.get("type", "value"), "text": one.get("description", ""), "needed": name in needed}


def _resolved(schema: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """A schema itself where it is one of the components by name."""
    reference = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", ()) if "$ref" in part), "")
    found: dict[str, Any] = made["components"]["schemas"][reference.rsplit("/", 1)[-1]] if reference else schema
    return found
