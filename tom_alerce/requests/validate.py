"""A request is checked as it would be sent: by our own check, then by the facility's form. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from requests import RequestException
from tom_common.exceptions import ImproperCredentialsException
from tom_observations.facility import get_service_class

from broker_adapters import plugins
from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests.facilities import facility_plugin
from tom_alerce.requests.states import TRANSITIONS, IllegalTransition, State, move
from tom_alerce.requests.timeouts import bounded


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


def _sentence(errors: Mapping[str, Sequence[Any]]) -> str:
    return "; ".join(
        f"{name}: {text}" if name != forms.forms.NON_FIELD_ERRORS else str(text) for name, all_ in errors.items() for text in all_
    )
