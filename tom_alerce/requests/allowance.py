"""What a portal of the OCS kind says about a request beforehand: hours left, highest priority, and who else wants that part of the sky."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import requests
from django.core.cache import cache
from django.utils import timezone

from broker_adapters.times import datetime_from_mjd
from followup.asked import Asked
from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import keys
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.known import read
from tom_alerce.requests.states import State
from tom_alerce.requests.timeouts import bounded
from tom_alerce.requests.validate import check
from tom_alerce.store.sanitize import sanitize_text

logger = logging.getLogger(__name__)

#: Seconds for which an answer is shown again.
_KEPT = 600
#: Status of what a portal has not, or does not show.
_UNKNOWN = 404


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the portal says of one request; None where it says nothing.

    ``at`` is when it was asked, ``left`` the hours of the proposal that are left for the instrument in the semester of the request by kind
    of time, ``highest`` the largest intra-proposal priority, ``hours`` the time that the request takes by the portal's count,
    ``contention`` the hours that all proposals ask for around its right ascension in the coming day, and ``problem`` why something is not
    known.
    """

    at: datetime
    left: Mapping[str, float]
    highest: float | None
    hours: float | None
    contention: float | None
    problem: str


def allowance(row: FollowupRequest) -> Allowance | None:
    """Ask the portal, in twice `FACILITY_TIMEOUT` at most, or repeat what it said lately; None for a facility without such a portal."""
    portal = keys.portal_of(row.facility)
    if portal is None:
        return None
    digest = hashlib.sha256(json.dumps([row.pk, row.payload], sort_keys=True).encode()).hexdigest()
    key = f"alerce_allowance_{digest}"
    known: Allowance | None = cache.get(key)
    if known is None:
        known = _ask(row, *portal)
        cache.set(key, known, _KEPT if not known.problem else 30)
    return known


def _ask(row: FollowupRequest, address: str, token: str) -> Allowance:
    """Ask four questions; what the portal does not know leaves the others, no usable answer at all ends it: it is not asked in vain."""
    found = check(row)
    if found.state == State.DRAFT:
        return Allowance(timezone.now(), {}, None, None, None, found.message)
    asked, ra, sent = read(facility_of(row.facility), row), row.sky_object.ra, found.sent
    get = partial(_json, "GET", address, headers={"Authorization": f"Token {token}"})
    post = partial(_json, "POST", address, headers={"Authorization": f"Token {token}"})
    told: dict[str, Any] = {}
    problems: list[str] = []
    questions: list[tuple[str, Callable[[], Any]]] = [
        ("semester", lambda: _semesters(get(f"/api/semesters/?{urlencode({'semester_contains': _start(asked)})}"))),
        ("proposal", lambda: _left(get(f"/api/proposals/{quote(asked.proposal, safe='')}/"), asked.instrument, told.get("semester", ()))),
        ("contention", lambda: _contention(get(f"/api/contention/{quote(asked.instrument, safe='')}/"), ra)),
        ("priority", lambda: sent and _highest(post("/api/requestgroups/max_allowable_ipp/", body=sent), asked.instrument)),
    ]
    try:
        with keys.of(row.user, row.facility), bounded(conf.get("FACILITY_TIMEOUT")):
            for name, question in questions:
                told |= _answered(row, name, question, problems)
    except requests.RequestException as error:
        problems.append(f"the portal gave no usable answer ({type(error).__name__})")
    highest, hours = told.get("priority") or (None, None)
    return Allowance(timezone.now(), told.get("proposal", {}), highest, hours, told.get("contention"), "; ".join(problems))


def _answered(row: FollowupRequest, name: str, question: Callable[[], Any], problems: list[str]) -> dict[str, Any]:
    """The answer to a question under its name; none, and a problem, where the portal has none or it is not understood."""
    try:
        return {name: question()}
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code != _UNKNOWN:
            raise
        problems.append(f"{name}: the portal has no such thing, or does not show it to you")
    except requests.RequestException:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        logger.info("%s: an answer of the portal is not understood", row, exc_info=True)
        problems.append(f"{name}: an answer of the portal is not understood ({type(error).__name__})")
    return {}


def _json(method: str, address: str, path: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
    response = requests.request(method, urljoin(address, path), headers=dict(headers), json=body)  # within `bounded`
    response.raise_for_status()
    return response.json()


def _start(asked: Asked) -> str:
    """When a request may begin, as the portal writes times; now where that is not known or over."""
    now = timezone.now()
    begins = datetime_from_mjd(asked.start) if math.isfinite(asked.start) else now
    return max(begins, now).strftime("%Y-%m-%dT%H:%M:%S")


def _semesters(answer: Any) -> set[str]:
    """Names of the semesters."""
    return {str(one["id"]) for one in answer["results"]}


def _left(proposal: Any, instrument: str, semesters: Collection[str]) -> dict[str, float]:
    """Kind of time -> hours left for an instrument; a proposal lists what it had in earlier semesters, too."""
    names = {"std": "normal", "tc": "time critical", "rr": "rapid response"}
    every = [one for one in proposal["timeallocation_set"] if one["semester"] in semesters]
    rows = [one for one in every if instrument in one["instrument_types"]]
    return {
        told: sum(float(one.get(f"{kind}_allocation") or 0.0) - float(one.get(f"{kind}_time_used") or 0.0) for one in rows)
        for kind, told in names.items()
        if rows
    }


def _contention(answer: Any, ra: float) -> float:
    """Hours that are asked for in the hour of right ascension."""
    return float(sum(float(seconds) for seconds in answer["contention_data"][int(ra / 15.0) % 24].values()) / 3600.0)


def _highest(answer: Any, instrument: str) -> tuple[float | None, float | None]:
    """Highest priority and the hours of the request; None for both if the portal refuses to say."""
    semesters = [one for one in answer.values() if isinstance(one, dict) and instrument in one]
    if not semesters:
        logger.info("the portal allows no priority: %s", sanitize_text(str(answer))[:500])
        return None, None
    entry = semesters[0][instrument]
    return float(entry["max_allowable_ipp_value"]), float(entry["request_duration"])
