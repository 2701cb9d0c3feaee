"""Rapid response: it interrupts other people's observations, so that it is allowed on purpose, for now, and rarely."""

from __future__ import annotations

from followup.asked import RAPID_RESPONSE
from tom_alerce.requests.case import Case

OVERRIDABLE = False

#: Days by which a window may begin in the future, for clocks that differ.
_SOON = 5.0 / 1440.0


def guard(case: Case, *, allowed: bool = False, per_night: int = 1) -> tuple[bool, str]:
    """Stop rapid response where the settings do not allow it, beyond ``per_night``, or outside the facility's rules of the window."""
    if case.asked.mode != RAPID_RESPONSE:
        return True, "no rapid response"
    if not allowed:
        return False, 'rapid response is not allowed in this TOM (TOM_ALERCE["GUARDS"]["rapid"]["allowed"])'
    if case.spent.rapid >= per_night:
        return (
            False,
            f"{case.spent.rapid} rapid-response request{'s were' if case.spent.rapid > 1 else ' was'} sent tonight; {per_night} may be",
        )
    if case.asked.start > case.now + _SOON:
        return False, "a rapid-response window begins now, and this one begins later"
    if case.asked.end > case.now + 1.0 + case.hours / 24.0:
        return False, "a rapid-response window ends within a day, and this one ends later"
    return True, "rapid response, within the rules"
