"""E004, E006, W002, W005, W007: promotion rules, the groups that see what they promote, and what those see who may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError, connection

from tom_alerce import conf
from tom_alerce.checks.messages import suggest, wrong_kind
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.plugins import missing
from tom_alerce.checks.settings import broken
from tom_alerce.store.rules import VALUES, useless


@register("tom_alerce")
def check_promotion(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E006, W002: promotion rules with an unknown key, a value that cannot be, or that no classification can ever meet."""
    if clashing() or "PROMOTION" in broken():
        return []
    return [message for i, rule in enumerate(conf.get("PROMOTION")) for message in (*_keys(i, rule), *_names(i, rule))]


def _keys(i: int, rule: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for key, value in rule.items():
        if key not in VALUES:
            yield Warning(
                f"A rule of TOM_ALERCE['PROMOTION'] has an unknown key {key!r}.", hint=suggest(str(key), VALUES), id="tom_alerce.W002"
            )
        elif not VALUES[key][0](value):
            yield wrong_kind(f"['PROMOTION'][{i}][{key!r}]", value, VALUES[key][1])
    if why := useless(rule):
        yield _useless(i, why)


def _names(i: int, rule: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """Classifiers and labels of ours that are not there; a broker's own words, and those of a third party's classifier, are not known."""
    from classifiers.taxonomy import BRANCH, LIGHTCURVE_CLASSES, STAMP, ours
    from tom_alerce.store.classifications import LOCAL

    if rule.get("origin", LOCAL) != LOCAL:
        return
    if missing("CLASSIFIERS") or any("." in name for name in conf.get("CLASSIFIERS")):
        return
    used = list(conf.get("CLASSIFIERS"))
    name, label = rule.get("classifier"), rule.get("label")
    if isinstance(name, str) and name not in used:
        yield _useless(i, f"No classifier {name!r} is in TOM_ALERCE['CLASSIFIERS']. {suggest(name, used)}")
        return
    classes = [c for one in ([name] if name else used) for c in (LIGHTCURVE_CLASSES if one == "lightcurve" else STAMP)]
    labels = {*classes, *(BRANCH[o] for c in classes if (o := ours(c) or c) in BRANCH)}
    if isinstance(label, str) and label not in labels:
        who = f"The classifier {name!r} has no" if name else "No classifier in use has a"
        yield _useless(i, f"{who} class {label!r}. {suggest(label, labels)}")


def _useless(i: int, why: str) -> CheckMessage:
    return Error(f"TOM_ALERCE['PROMOTION'][{i}] can never select an object.", hint=why, id="tom_alerce.E004")


@register("tom_alerce")
def check_groups(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W005: groups of the settings that the TOM does not have; silent while there is no database, or no table in it."""
    if clashing() or "GROUPS" in broken() or not conf.get("GROUPS"):
        return []
    from django.contrib.auth.models import Group

    try:
        if Group._meta.db_table not in connection.introspection.table_names():
            return []
        there = set(Group.objects.values_list("name", flat=True))
    except DatabaseError:
        return []
    return [
        Warning(
            f"TOM_ALERCE['GROUPS'] names {name!r}, and this TOM has no such group: nobody sees promoted targets through it.",
            hint=suggest(name, there) if there else "This TOM has no groups: make one on the page Users.",
            id="tom_alerce.W005",
        )
        for name in conf.get("GROUPS")
        if name not in there
    ]


@register("tom_alerce")
def check_refusals(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W007: whoever lacks a role would be sent to the log-in page, without a word about the role."""
    names = list(settings.MIDDLEWARE)
    ours, theirs = "tom_alerce.pages.refusals.RefusalMiddleware", "tom_common.middleware.Raise403Middleware"
    if theirs not in names or ours in names[: names.index(theirs)]:
        return []
    text = "Whoever lacks a role is sent to the log-in page, and not told which role is missing."
    return [Warning(text, hint=f"Put '{ours}' before '{theirs}' in MIDDLEWARE.", id="tom_alerce.W007")]
