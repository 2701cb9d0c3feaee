"""Check a request by the facility plug-in and by the TOM's own form of the facility. Nothing is sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import DatabaseError
from django.utils import timezone
from requests import RequestException
from tom_common.exceptions import ImproperCredentialsException
from tom_observations.facility import get_service_class

from followup.records import Facility
from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import keys
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.states import UNSENT, IllegalTransition, State, move
from tom_alerce.requests.timeouts import bounded
from tom_alerce.store.errors import StoreError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the state, the reason, and what would be sent if it is VALIDATED; DRAFT where it could not be checked."""

    state: str
    message: str
    sent: dict[str, Any] | None = None


def dry_run(request: FollowupRequest, user: Any = None) -> dict[str, Any] | None:
    """Check a request, store the result, and return what would be sent; None where the request is not valid or could not be checked.

    If the portal does not answer, or the TOM's facility fails, the request stays a draft, and its message says so. Nothing is sent.

    Others may draft and check the same request meanwhile: the result is stored with the payload that was checked.

    Raises
    ------
    IllegalTransition
        The request is approved, or may have been sent already.
    """
    if request.state not in UNSENT:
        raise IllegalTransition(f"a request that is {request.state} is past its dry run")
    found = check(request)
    fields = {"payload": request.payload, "prepared": found.sent, "target": request.target, "ranking": request.ranking}
    move(request, found.state, found.message, by=user, **fields)
    return found.sent


def check(request: FollowupRequest) -> Checked:
    """Check a request by the plug-in's ``check``, then by the form of the TOM's facility, which asks the portal; nothing is stored."""
    plugin = facility_of(request.facility)
    problems = getattr(plugin, "check", None)
    if problems is not None and (found := problems(request.payload)):
        return Checked(State.INVALID, "; ".join(found))
    try:
        facility = get_service_class(request.facility)
    except ImportError:
        missing = f"not checked: this TOM has no facility {request.facility!r}; add its class to TOM_FACILITY_CLASSES"
        return Checked(State.DRAFT, missing)
    try:
        # a form reads times without a zone in the zone of the site's pages, and payloads are written in UTC
        with (
            keys.of(request.user, request.facility) as personal,
            bounded(conf.get("FACILITY_TIMEOUT")),
            timezone.override("UTC"),
        ):
            return _by_form(request, facility(), plugin, personal)
    except RequestException as error:
        where = getattr(getattr(error, "request", None), "url", None) or request.facility
        why = f"not checked: the portal gave no usable answer ({type(error).__name__} at {where})"
        return Checked(State.DRAFT, why)
    except ImproperCredentialsException:
        return Checked(State.DRAFT, f"not checked: {request.facility} refuses the credentials in the settings, or the person's own")
    except forms.ValidationError as error:
        return Checked(State.INVALID, " ".join(error.messages))
    except (StoreError, DatabaseError):
        raise
    except Exception as error:  # the boundary of the TOM's facilities, whose forms are anybody's code: one request is not checked
        logger.exception("%s: the facility's own check has failed", request)
        failed = f"not checked: the TOM's facility {request.facility} has failed ({type(error).__name__}: {error})"
        return Checked(State.DRAFT, failed)


def _by_form(request: FollowupRequest, facility: Any, plugin: Facility | None, personal: bool) -> Checked:
    """Validate the TOM's form of the facility, with what the plug-in reads in it; ``personal`` is with the person's own key."""
    refused, portal_problems, adapt = (getattr(plugin, name, None) for name in ("credentials_refused", "portal_problems", "adapt"))
    if request.user is not None:
        facility.set_user(request.user)
    apart = {"facility_settings": keys.Settings(facility.facility_settings, request.user.pk)} if personal and request.user else {}
    form = facility.create_form_instance(request.payload["observation_type"], data=json.loads(json.dumps(request.payload)), **apart)
    if adapt is not None:
        adapt(form)
    if refused is not None and refused(form):
        raise ImproperCredentialsException("refused by the portal")
    if portal_problems is not None and (problems := portal_problems(form, request.payload)):
        return Checked(State.INVALID, "; ".join(problems))
    # the toolkit's is_valid() asks the portal even where fields are wrong, and then fails on those that are missing
    if form.errors or not form.is_valid():
        return Checked(State.INVALID, _sentence(form.errors))
    sent: dict[str, Any] = json.loads(json.dumps(form.observation_payload(), default=str))
    return Checked(State.VALIDATED, str(getattr(form, "validation_message", "") or "valid"), sent)


def _sentence(errors: Mapping[str, Sequence[Any]]) -> str:
    return "; ".join(f"{name}: {text}" if name != NON_FIELD_ERRORS else str(text) for name, all_ in errors.items() for text in all_)
