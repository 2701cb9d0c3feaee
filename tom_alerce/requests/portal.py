"""The guard around the TOM's own class of a facility: every call ends in time, and no answer is believed that cannot be one.

The toolkit's classes wait for ever, take an error page for an identity, and tell a refusal, a lost answer and a closed port apart by the
exception alone. Here each ends as one of four outcomes, and only one of them allows another attempt at once.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django import forms
from django.db import connections
from requests import ConnectionError as NoConnection
from requests import ConnectTimeout, HTTPError, RequestException, Timeout
from tom_common.exceptions import ImproperCredentialsException
from tom_observations.facility import get_service_class
from urllib3.exceptions import NewConnectionError

from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import keys
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.timeouts import bounded
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

logger = logging.getLogger(__name__)

#: Seconds after the deadline of the transport at which a call is left alone that does not use it.
_GRACE = 0.5
#: What an identity at a facility may look like; no space, no markup.
_IDENTITY = re.compile(r"[\w.:/+#-]{1,255}")
_NO_IDENTITY = frozenset({"", "0", "-1", "None", "null", "False", "undefined"})
_TOO_MANY = 429


class Outcome(Enum):
    """What became of a call."""

    GIVEN = "answered"
    REFUSED = "the facility says no; it has nothing of it"
    UNDELIVERED = "it did not reach the facility, or was turned away at the door; it has nothing of it"
    LOST = "nobody knows whether the facility has it"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call, in words for people; ``value`` is what the facility returned, ``raw`` what came."""

    outcome: Outcome
    words: str
    value: Any = None
    raw: str = ""


class Silent(StoreError):
    """The facility gave no usable answer; asking it for other requests now is vain."""


def _person(row: FollowupRequest) -> Any:
    """In whose name a facility is asked about a request: its sender's, else that of whom it belongs to."""
    return row.sender or row.user


def facility(row: FollowupRequest) -> Any:
    """The TOM's own facility of a request, for its sender."""
    try:
        made = get_service_class(row.facility)()
    except ImportError as error:
        raise Silent(f"this TOM has no facility {row.facility!r}; add its class to TOM_FACILITY_CLASSES") from error
    if (person := _person(row)) is not None:
        made.set_user(person)
    return made


def call(function: Callable[..., Any], *arguments: Any, row: FollowupRequest, seconds: float | None = None) -> Answer:
    """Call a method of a request's facility, and say what became of it within so many seconds (`FACILITY_TIMEOUT`) in all.

    It is called in a thread, with the own key of whom it is called for, if there is one.
    """
    try:
        with keys.of(_person(row), row.facility):
            return _in_thread(function, arguments, conf.get("FACILITY_TIMEOUT") if seconds is None else seconds)
    except keys.Unreadable as error:
        return Answer(Outcome.UNDELIVERED, str(error))


def _in_thread(function: Callable[..., Any], arguments: Sequence[Any], seconds: float) -> Answer:
    done: list[Answer] = []

    def run() -> None:
        try:
            done.append(_called(function, arguments, seconds))
        finally:
            connections.close_all()

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True, name="facility")
    thread.start()
    thread.join(seconds + _GRACE)
    return done[0] if done else Answer(Outcome.LOST, f"no answer within {seconds:g} s")


def _called(function: Callable[..., Any], arguments: Sequence[Any], seconds: float) -> Answer:
    with bounded(seconds) as deadline:
        try:
            return Answer(Outcome.GIVEN, "", function(*arguments))
        except forms.ValidationError as error:
            raw = " ".join(map(str, error.messages))
            return Answer(Outcome.REFUSED, words(raw), raw=raw)
        except ImproperCredentialsException:
            return Answer(Outcome.UNDELIVERED, "it refuses the credentials in the settings, or the person's own")
        except HTTPError as error:
            return _status(error)
        except RequestException as error:
            if _not_connected(error):
                return Answer(Outcome.UNDELIVERED, f"no connection ({type(error).__name__})")
            lost = (
                f"no answer within {seconds:g} s"
                if deadline.expired or isinstance(error, Timeout)
                else f"the connection ended ({type(error).__name__})"
            )
            return Answer(Outcome.LOST, lost)
        except Exception as error:  # the boundary of the TOM's facilities, which are anybody's code: this call has failed
            logger.exception("the TOM's facility has failed")
            return Answer(Outcome.LOST, f"the TOM's facility has failed ({type(error).__name__}: {error!s:.200})")


def _status(error: HTTPError) -> Answer:
    """What an answer with an error status says."""
    response = error.response
    if response is None:
        return Answer(Outcome.LOST, "an error without an answer")
    status, raw = response.status_code, sanitize_text(response.text[:2000])
    if status == _TOO_MANY:
        wait = response.headers.get("Retry-After", "")
        later = f"; it asks to wait {sanitize_text(wait)[:40]} s" if wait else ""
        return Answer(Outcome.UNDELIVERED, f"too many requests{later}", raw=raw)
    if 400 <= status < 500:
        return Answer(Outcome.REFUSED, f"{status}: {words(raw)}", raw=raw)
    return Answer(Outcome.LOST, f"the portal is in trouble (status {status})", raw=raw)


def _not_connected(error: RequestException) -> bool:
    """Whether not a byte of a request can have reached the other side."""
    if isinstance(error, ConnectTimeout):
        return True
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, NoConnection) and isinstance(cause, NewConnectionError)


def identities(value: Any) -> list[str]:
    """The identities that a facility returned, as text; none if one of them cannot be one (None, 0, '', an error page)."""
    if not isinstance(value, (list, tuple)) or not value:
        return []
    texts = [str(one) for one in value if isinstance(one, (int, str)) and not isinstance(one, bool)]
    sound = [text for text in texts if text not in _NO_IDENTITY and _IDENTITY.fullmatch(text)]
    return sound if len(sound) == len(value) else []


def can_find(row: FollowupRequest) -> bool:
    """Whether the plug-in of its facility can look a request up by its token."""
    return hasattr(facility_of(row.facility), "find")


def find(row: FollowupRequest, seconds: float | None = None) -> list[list[str]]:
    """Identities of every request at the facility that carries the token of this one, a list for each.

    Raises
    ------
    Silent
        The facility gave no usable answer, or its plug-in cannot look requests up.
    """
    look = getattr(facility_of(row.facility), "find", None)
    if look is None:
        raise Silent(f"{row.facility} cannot be asked for a request by its key: look there by hand")
    answer = call(look, facility(row), row.payload, row.token, row=row, seconds=seconds)
    if answer.outcome is not Outcome.GIVEN:
        raise Silent(answer.words)
    return [[str(identity) for identity in one] for one in answer.value]


def words(text: str) -> str:
    """What a portal says, as a sentence: the texts of its JSON with their keys, instead of the toolkit's picture of bytes."""
    text = sanitize_text(text)
    found = re.search(r"b(['\"])(\{.*\}|\[.*\])\1", text, re.DOTALL) or re.search(r"()(\{.*\})", text, re.DOTALL)
    try:
        said = json.loads(found.group(2).replace("\\'", "'")) if found else None
    except ValueError:
        said = None
    return sanitize_text("; ".join(_leaves(said)) if said else text)[:1000]


def _leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [
            leaf for name, inner in value.items() for leaf in _leaves(inner, path if name in ("errors", "non_field_errors") else str(name))
        ]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner, path)]
    return [f"{path}: {value}" if path else str(value)] if value not in (None, "") else []
