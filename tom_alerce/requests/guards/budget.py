"""Budget: telescope time of the night, of the proposal and of the person."""

from __future__ import annotations

import math

from tom_alerce.requests.case import Case


def guard(case: Case, *, night: float = math.inf, proposal: float = math.inf, person: float = math.inf) -> tuple[bool, str]:
    """Stop what would go beyond the hours of a ``night``, of the ``proposal`` in a semester, or of a ``person`` in a night."""
    spent = case.spent
    for what, used, limit in (
        ("the night", spent.night, night),
        (f"the proposal {case.asked.proposal}", spent.proposal, proposal),
        ("your night", spent.person, person),
    ):
        if used + case.hours > limit:
            return False, f"{case.hours:.2f} h are more than what is left of {what}: {used:.2f} h of {limit:g} h are spent"
    return True, f"{case.hours:.2f} h; {spent.night:.2f} h asked for tonight, {spent.person:.2f} h by you"
