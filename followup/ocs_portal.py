"""Requests at an observation portal of the OCS kind: the token that identifies each there, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin

import requests

#: Where the token of a request is at the portal, beside ``observation_note``, which people see there.
_KEY = "tom_alerce"

#: State of a request at the portal -> our state (`tom_alerce.models.FollowupRequest.State`), with words.
STATES = MappingProxyType(
    {
        "PENDING": ("submitted", "waiting to be scheduled"),
        "COMPLETED": ("observed", "observed"),
        "CANCELED": ("cancelled", "cancelled at the portal"),
        "WINDOW_EXPIRED": ("expired", "its window has passed, and it was not observed"),
        "FAILURE_LIMIT_REACHED": ("failed", "every attempt has failed, and the portal makes no other"),
    }
)


def carry(sent: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Return what is sent to the portal with the token in it: the toolkit's forms leave both places empty."""
    parts = [
        {**one, "observation_note": token, "extra_params": {**(one.get("extra_params") or {}), _KEY: token}} for one in sent["requests"]
    ]
    return {**sent, "requests": parts}


def find(facility: Any, data: Mapping[str, Any], token: str) -> list[list[str]]:
    """Return the ids of the requests of every group at the portal that carries the token, whoever has sent it.

    The portal's filter by name is *contains*: the whole token is compared.

    Raises
    ------
    requests.RequestException
        The portal gave no usable answer.
    """
    query: Mapping[str, Any] | None = {"name": data["name"], "proposal": data.get("proposal", ""), "limit": 100}
    url, groups = "/api/requestgroups/", []
    while url:
        answer = _get(facility, url, query)
        groups += answer["results"]
        url, query = answer["next"], None
    return [[str(one["id"]) for one in group["requests"]] for group in groups if token in map(_token, group["requests"])]


def failure(facility: Any, observation_id: str) -> str:
    """Return what the telescopes say of the attempts that failed; '' if nothing."""
    blocks = _get(facility, f"/api/requests/{observation_id}/observations/")
    told = []
    for block in blocks:
        summaries = [one.get("summary") or {} for one in block.get("configuration_statuses", ())]
        reasons = "; ".join(dict.fromkeys(str(one["reason"]) for one in summaries if one.get("reason")))
        if block["state"] in ("ABORTED", "FAILED", "NOT_ATTEMPTED"):
            told.append(f"{block['site']} {block['start'][:16]} {block['state'].lower()}" + (f" ({reasons})" if reasons else ""))
    return ", ".join(told)


def _get(facility: Any, path: str, query: Mapping[str, Any] | None = None) -> Any:
    """JSON of the portal that the settings of the TOM's facility name; time-outs are the caller's, as for the toolkit's own calls."""
    settings = facility.facility_settings
    key = settings.get_setting("api_key")
    headers = {"Authorization": f"Token {key}"} if key else {}
    answer = requests.get(urljoin(settings.get_setting("portal_url"), path), params=query, headers=headers)
    answer.raise_for_status()
    return answer.json()


def _token(one: Mapping[str, Any]) -> str:
    return str((one.get("extra_params") or {}).get(_KEY) or one.get("observation_note") or "")
