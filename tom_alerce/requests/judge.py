"""Judges a request by every guard (`tom_alerce.requests.guards`), and keeps what people with the right have overridden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import transaction

from broker_adapters import plugins
from followup.records import FollowupError
from tom_alerce import clock, conf
from tom_alerce.models import FollowupRequest, Override
from tom_alerce.requests.case import Case, Verdict
from tom_alerce.requests.known import case
from tom_alerce.requests.rights import require as require_right
from tom_alerce.requests.states import note
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

logger = logging.getLogger(__name__)

PACKAGE = "tom_alerce.requests.guards"

Guard = Callable[[Case], tuple[bool, str]]


class Stopped(StoreError):
    """Guards stop the request; nothing was sent."""


def judge(row: FollowupRequest, user: Any = None, now: float | None = None) -> tuple[Verdict, ...]:
    """Every guard's verdict on a request, stored or not, for a person (None: the TOM itself) at a time (MJD; now).

    A guard that fails stops the request, and says so; form data that cannot be read are one verdict.
    """
    try:
        known = case(row, user, clock.now() if now is None else now)
    except FollowupError as error:
        return (Verdict("readable", False, str(error), False),)
    rows = row.overrides.filter(token=row.token).select_related("user") if row.pk is not None else ()
    overridden = {one.guard: f"{one.by}: {one.reason}" for one in rows}
    verdicts = [_verdict(name, guard, overridable, known) for name, guard, overridable in _guards()]
    return tuple(replace(one, overridden=overridden.get(one.name, "")) if one.overridable else one for one in verdicts)


def stopping(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that stop a request: not passed, and not overridden."""
    return [one for one in verdicts if not (one.passed or one.overridden)]


def require(row: FollowupRequest, user: Any = None) -> tuple[Verdict, ...]:
    """Verdicts on a request that no guard stops; `Stopped`, with the reasons, if one does. `send` calls this before anything is sent."""
    verdicts = judge(row, user)
    if against := stopping(verdicts):
        raise Stopped("; ".join(f"{one.name}: {one.reason}" for one in against))
    return verdicts


def override(row: FollowupRequest, user: Any, guards: Sequence[str], reason: str) -> None:
    """Let a request pass guards that stop it, with a reason that is kept with the request.

    Raises
    ------
    Forbidden
        The user has not the role ``override``, or may not change the target.
    StoreError
        No reason, or a guard that cannot be overridden.
    """
    require_right(user, "override", row)
    reason = " ".join(sanitize_text(reason).split())[:1000]
    if not reason:
        raise StoreError("a guard is overridden for a reason: write it down")
    able = {name for name, _, overridable in _guards() if overridable}
    if unable := [name for name in guards if name not in able]:
        raise StoreError(f"nobody may override: {', '.join(unable)}")
    with transaction.atomic():
        for name in guards:
            Override.objects.update_or_create(request=row, token=row.token, guard=name, defaults={"reason": reason, "user": user})
        note(row, row.state, row.state, f"guards overridden ({', '.join(guards)}): {reason}", by=user)


def bind(name: str, options: Mapping[str, Any]) -> tuple[Guard, bool]:
    """A guard with its parameters, and whether it may be overridden; FollowupError for one that there is not, or for a parameter."""
    try:
        module = plugins.load(PACKAGE, name)
    except LookupError as error:
        raise FollowupError(str(error)) from error
    known = conf.options(module.guard)
    if unknown := [key for key in options if key not in known]:
        raise FollowupError(f"the guard {name!r} has no parameter {', '.join(unknown)}; it has: {', '.join(known) or 'none'}")
    return partial(module.guard, **options), bool(getattr(module, "OVERRIDABLE", True))


def _guards() -> list[tuple[str, Guard, bool]]:
    """Our own guards and those of third parties in the settings, without those that the settings switch off."""
    given: Mapping[str, Mapping[str, Any] | None] = conf.get("GUARDS")
    names = dict.fromkeys([*plugins.names(PACKAGE), *given])
    return [(name, *bind(name, given.get(name) or {})) for name in names if given.get(name, {}) is not None]


def _verdict(name: str, guard: Guard, overridable: bool, known: Case) -> Verdict:
    try:
        passed, reason = guard(known)
    except Exception as error:  # guards are anybody's code, and parameters anybody's values: a broken guard does not open the gate
        logger.exception("the guard %s has failed", name)
        return Verdict(name, False, f"the guard has failed ({type(error).__name__}: {error!s:.200})", overridable)
    return Verdict(name, passed, reason, overridable)
