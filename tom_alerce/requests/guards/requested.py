"""Requested: nobody in this TOM has asked for the same already."""

from __future__ import annotations

from tom_alerce.requests.case import Case


def guard(case: Case, *, any_instrument: bool = False) -> tuple[bool, str]:
    """Stop what is under way with the same instrument (or, with ``any_instrument``, any) in a window that overlaps."""
    same = [
        other
        for other in case.others
        if (any_instrument or other.asked.instrument in ("", case.asked.instrument)) and other.asked.overlaps(case.asked)
    ]
    if same:
        told = "; ".join(f"{one.facility} {one.asked.instrument}, {one.state}, {one.whose}".replace(" ,", ",") for one in same)
        return False, f"requested already: {told}"
    if case.others:
        return True, f"{len(case.others)} under way with other instruments or at other times"
    return True, "nobody has requested it"
