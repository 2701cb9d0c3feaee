"""Changes the form data of a request as a person wrote them on a page, and checks it again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from followup.records import FollowupError
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import draft, validate
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.known import read
from tom_alerce.requests.states import UNSENT, IllegalTransition, State, move
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import json_safe

#: Fields that say what the request is, and carry its key: nobody edits them.
FIXED = frozenset({"facility", "observation_type", "target_id", "name"})
#: Characters of one value at most.
LONGEST = 4000


def edit(row: FollowupRequest, user: Any, values: Mapping[str, str]) -> None:
    """Replace values of the form data, each of the type that it has, and check the request; an approval is taken away.

    Parameters
    ----------
    row : FollowupRequest
        Neither sent nor ended.
    user : User
        Who edits; the caller has made sure that the user may.
    values : mapping of field to text
        Fields that the form data do not have, and those that are `FIXED`, are left out.

    Raises
    ------
    StoreError
        A value that cannot be read; nothing was changed.
    IllegalTransition
        A facility has the request, or may have it.
    """
    if row.state not in UNSENT | {State.APPROVED}:
        raise IllegalTransition(f"a request that is {row.get_state_display()} is not edited any more")
    payload = {name: typed(name, values[name], old) if name in values and name not in FIXED else old for name, old in row.payload.items()}
    columns = _columns(row, payload)
    if row.state == State.APPROVED:
        draft.reopen(row, user)
    move(row, State.DRAFT, "edited", by=user, payload=payload, **columns)
    validate.dry_run(row, user)


def typed(name: str, text: str, old: Any) -> Any:
    """A value as a person wrote it, of the type of the old one; StoreError where it is none."""
    if len(text) > LONGEST:
        raise StoreError(f"{name}: {len(text)} characters are too many")
    text = text.strip()
    try:
        if isinstance(old, bool):
            return text.lower() in ("true", "on", "yes", "1")
        if isinstance(old, int):
            return int(text)
        if isinstance(old, float):
            number = float(text)
            if math.isfinite(number):
                return number
            raise ValueError(text)
        if isinstance(old, (list, dict)):
            value = json_safe(json.loads(text))
            if isinstance(value, type(old)):
                return value
            raise ValueError(text)
    except (ValueError, RecursionError) as error:
        kind = "a number" if isinstance(old, (int, float)) else "a list as JSON" if isinstance(old, list) else "an object as JSON"
        raise StoreError(f"{name}: {text[:40]!r} is not {kind}") from error
    return json_safe(text)


def _columns(row: FollowupRequest, payload: dict[str, Any]) -> dict[str, Any]:
    """Instrument and window of the form data, by which requests are found and compared."""
    changed = FollowupRequest(payload=payload, instrument=row.instrument, start=row.start, end=row.end)
    try:
        asked = read(facility_of(row.facility), changed)
    except FollowupError as error:
        raise StoreError(f"not changed: {error}") from error
    ends = {name: None if math.isnan(value) else value for name, value in (("start", asked.start), ("end", asked.end))}
    return {"instrument": asked.instrument, **ends}
