"""By hand: the facility takes requests from here, and not in its own form alone."""

from __future__ import annotations

from tom_alerce.requests.case import Case

OVERRIDABLE = False


def guard(case: Case) -> tuple[bool, str]:
    """Stop requests to facilities that a person has to ask in their own form."""
    return not case.by_hand, case.by_hand or "the facility takes requests from here"
