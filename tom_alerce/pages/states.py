"""What has been done about an object, as one person sees it: new, seen, claimed, requested, observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from tom_alerce import visible
from tom_alerce.models import FollowupRequest, Mark, Rank
from tom_alerce.store import marks, seen

State = FollowupRequest.State
#: States of requests that count as asked for, and as done.
ASKED = (State.DRAFT, State.VALIDATED, State.APPROVED, State.SENDING, State.UNKNOWN, State.SUBMITTED, State.SCHEDULED)
#: State -> what the form calls it.
CHOICES = (
    ("new", "not seen by me"), ("seen", "seen by me"), ("claimed", "claimed"), ("mine", "claimed by me"), ("requested", "requested"),
    ("observed", "observed"),
)  # fmt: skip


def _claimed() -> QuerySet[Mark]:
    return marks.active().filter(kind=Mark.Kind.CLAIM, sky_object=OuterRef("sky_object"))


def _requests(user: visible.User, *states: str) -> Exists:
    return Exists(visible.requests(user).filter(sky_object=OuterRef("sky_object"), state__in=states))


#: State -> condition on ranks.
_CONDITIONS: dict[str, Callable[[visible.User], Any]] = {
    "new": lambda user: ~seen.is_seen(user, "sky_object"),
    "seen": lambda user: seen.is_seen(user, "sky_object"),
    "claimed": lambda _: Exists(_claimed()),
    "mine": lambda user: Exists(_claimed().filter(author=user.pk)),
    "requested": lambda user: _requests(user, *ASKED),
    "observed": lambda user: _requests(user, State.OBSERVED),
}


def filtered(ranks: QuerySet[Rank], state: str, user: visible.User) -> QuerySet[Rank]:
    """Ranks of the objects in that state."""
    return ranks.filter(Q(_CONDITIONS[state](user)))


def of(seen_evidence: str | None, evidence: str, claimed: str, requests: list[str]) -> tuple[str, str]:
    """The furthest state of an object, and what to call it: by the evidence with which it was seen (None: never), and so on."""
    if State.OBSERVED in requests:
        return "observed", "observed"
    if any(state in ASKED for state in requests):
        return "requested", "requested"
    if claimed:
        return "claimed", f"claimed by {claimed}"
    if seen_evidence is None:
        return "new", "not seen by you"
    return ("seen", "seen by you") if seen_evidence == evidence else ("changed", "changed since you looked")
