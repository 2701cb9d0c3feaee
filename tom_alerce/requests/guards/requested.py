"""Requested: nobody in this TOM has asked for the same already."""

from __future__ import annotations

from tom_alerce.requests.case import Case, Other


def guard(case: Case, *, any_instrument: bool = False) -> tuple[bool, str]:
    """Stop what is under way in a window that overlaps: with the same instrument (or, with ``any_instrument``, any), or another spectrum.

    A request that asks for the very same passes if it will be joined with the one that is under way.
    """
    alike = [other for other in case.others if other.asked.overlaps(case.asked) and (any_instrument or _alike(case, other))]
    if joined := next((other for other in alike if other.joins), None):
        return True, f"it will be joined with what is requested already: {_told(joined)}"
    if alike:
        return False, f"requested already: {'; '.join(map(_told, alike))}"
    if case.others:
        return True, f"{len(case.others)} under way with other instruments or at other times"
    return True, "nobody has requested it"


def _alike(case: Case, other: Other) -> bool:
    return other.asked.instrument in ("", case.asked.instrument) or (case.spectrum and other.spectrum is True)


def _told(other: Other) -> str:
    return f"{other.facility} {other.asked.instrument}".strip() + f", {other.state}, {other.whose}"
