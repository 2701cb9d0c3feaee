"""Requests to observe, as a state machine: drafted from a plan, checked at the facility, and never sent twice.

::

    DRAFT ──> VALIDATED ──> SUBMITTING ──> SUBMITTED
      └─> INVALID    │            ├──> FAILED ──> DRAFT
                     └─ DRAFT     └──> UNCERTAIN ──> SUBMITTED | FAILED

A change of state is one UPDATE that names the state it starts from, so that of two workers one wins and the other is told. The key of
a request is unique: the same wish (object, facility, instrument, filters, night) is one row, whoever wishes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from requests import RequestException
from tom_common.exceptions import ImproperCredentialsException
from tom_observations.facility import get_service_class

from broker_adapters import plugins
from followup.plan import plan
from followup.records import FollowupError, ObservationRequest
from tom_alerce import conf
from tom_alerce.bounded import bounded
from tom_alerce.models import FollowupRequest, Ranking, SkyObject
from tom_alerce.store import targets
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State

TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        State.DRAFT: frozenset({State.DRAFT, State.VALIDATED, State.INVALID}),
        State.INVALID: frozenset({State.DRAFT, State.VALIDATED, State.INVALID}),
        State.VALIDATED: frozenset({State.DRAFT, State.VALIDATED, State.INVALID, State.SUBMITTING}),
        State.SUBMITTING: frozenset({State.SUBMITTED, State.FAILED, State.UNCERTAIN}),
        State.UNCERTAIN: frozenset({State.SUBMITTED, State.FAILED}),
        State.FAILED: frozenset({State.DRAFT}),
        State.SUBMITTED: frozenset(),
    }
)


class IllegalTransition(StoreError):
    """The state machine has no such arrow, or another worker has moved the request meanwhile."""


def move(request: FollowupRequest, state: str, message: str = "", **fields: Any) -> None:
    """Take a request to another state, with what is to be said about it and other fields to write.

    Raises
    ------
    IllegalTransition
        There is no such transition, or the request is no longer in the state that the caller knows.
    """
    if state not in TRANSITIONS[request.state]:
        raise IllegalTransition(f"a request that is {request.state} cannot become {state}")
    changed = {"state": state, "message": message, "modified": timezone.now(), **fields}
    if not FollowupRequest.objects.filter(pk=request.pk, state=request.state).update(**changed):
        raise IllegalTransition(f"request {request.key} is no longer {request.state}")
    for name, value in changed.items():
        setattr(request, name, value)


def draft(requests: Sequence[ObservationRequest], ranking: Ranking | None = None, user: Any = None) -> list[FollowupRequest]:
    """Store requests as drafts; each object becomes a target of the TOM, without which no facility takes a request.

    A wish that is there already is drafted anew if nothing has been sent yet, and is left as it is otherwise.

    Raises
    ------
    StoreError
        An object cannot be a target.
    FollowupError
        The facility cannot be asked for this.
    """
    return [_draft(request, ranking, user) for request in requests]


def _draft(request: ObservationRequest, ranking: Ranking | None, user: Any) -> FollowupRequest:
    plugin = facility_plugin(request.facility)
    with transaction.atomic():
        sky_object = SkyObject.objects.get(pk=int(request.target))
        target = targets.promote(sky_object, user)
        payload = plugin.payload(request, target_id=target.pk, **options_of(plugin.payload))
        fresh = {"sky_object": sky_object, "target": target, "ranking": ranking, "facility": plugin.FACILITY, "payload": payload}
        owner = user if user is not None and user.is_authenticated else None
        row, new = FollowupRequest.objects.get_or_create(key=request.key, defaults={**fresh, "user": owner})
        if not new and State.DRAFT in TRANSITIONS[row.state]:
            move(row, State.DRAFT, "", target=target, ranking=ranking, payload=payload)
    return row


def dry_run(request: FollowupRequest) -> dict[str, Any] | None:
    """Check a request as it would be sent, send nothing, and keep the verdict; what would be sent, None where nothing could be.

    Our own check comes first; then the facility's form is built and validated, for which a portal has to answer. Where it does not, the
    request stays a draft, and its message says so. A request that has been sent is left alone: `IllegalTransition`.
    """
    if State.VALIDATED not in TRANSITIONS[request.state]:
        raise IllegalTransition(f"a request that is {request.state} is past its dry run")
    problems = _own_check(request)
    if problems:
        move(request, State.INVALID, "; ".join(problems))
        return None
    try:
        facility = get_service_class(request.facility)
    except ImportError:
        move(request, State.DRAFT, f"not checked: this TOM has no facility {request.facility!r}; its class belongs in TOM_FACILITY_CLASSES")
        return None
    try:
        # a form reads times without a zone in the zone of the site's pages, and payloads are written in UTC
        with bounded(conf.get("FACILITY_TIMEOUT")), timezone.override("UTC"):
            return _validate(request, facility())
    except RequestException as error:
        where = getattr(getattr(error, "request", None), "url", None) or request.facility
        move(request, State.DRAFT, f"not checked: the portal gave no usable answer ({type(error).__name__} at {where})")
    except ImproperCredentialsException:
        move(request, State.DRAFT, f"not checked: {request.facility} refuses the credentials in the settings")
    except forms.ValidationError as error:
        move(request, State.INVALID, " ".join(error.messages))
    return None


def _validate(request: FollowupRequest, facility: Any) -> dict[str, Any] | None:
    """Let the facility's own form judge."""
    if request.user is not None:
        facility.set_user(request.user)
    form = facility.create_form_instance(request.payload["observation_type"], data=json.loads(json.dumps(request.payload)))
    # the toolkit swallows that the portal refuses the key, and offers proposal 0 and instruments of its own
    if 0 in dict(getattr(form.fields.get("proposal"), "choices", ())):
        raise ImproperCredentialsException("no proposals found")
    # the toolkit's is_valid() asks the portal even where fields are wrong, and then fails on those that are missing
    if form.errors or not form.is_valid():
        move(request, State.INVALID, _sentence(form.errors))
        return None
    sent: dict[str, Any] = form.observation_payload()
    move(request, State.VALIDATED, str(getattr(form, "validation_message", "") or "valid"))
    return sent


def _own_check(request: FollowupRequest) -> Sequence[str]:
    """What is wrong with a payload as far as can be told without the portal."""
    names = plugins.names("followup.facilities")
    plugin = next((p for p in map(facility_plugin, names) if request.facility == p.FACILITY), None)
    return plugin.check(request.payload) if plugin is not None and hasattr(plugin, "check") else ()


def facility_plugin(name: str) -> ModuleType:
    """The plug-in of ``followup/facilities`` of that name; FollowupError where there is none."""
    try:
        return plugins.load("followup.facilities", name)
    except LookupError as error:
        raise FollowupError(str(error)) from error


def options_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Those settings of ``FACILITY`` that a function takes as options."""
    known = conf.options(function)
    return {key: value for key, value in conf.get("FACILITY").items() if key in known}


def facility_options() -> dict[str, Any]:
    """What ``FACILITY`` may have, with defaults: its name, and the options of its payload and of the plan."""
    name = conf.get("FACILITY").get("name", "lco")
    return {"name": name} | conf.options(facility_plugin(name).payload) | conf.options(plan)


def _sentence(errors: Mapping[str, Sequence[Any]]) -> str:
    return "; ".join(
        f"{name}: {text}" if name != forms.forms.NON_FIELD_ERRORS else str(text) for name, all_ in errors.items() for text in all_
    )
