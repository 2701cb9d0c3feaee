"""Visible: it is high enough, in the dark, for as long as the observation takes, at one site of the facility or more."""

from __future__ import annotations

import math

from tom_alerce.requests.case import Case


def guard(case: Case) -> tuple[bool, str]:
    """Stop what no site sees for long enough within the window."""
    asked = case.asked
    if math.isnan(asked.start) or math.isnan(asked.end):
        return False, "its window is not known"
    if asked.end <= case.now:
        return False, "its window is over"
    if not asked.start < asked.end:
        return False, "its window is empty"
    if case.in_space:
        return True, "observed from space: its own rules of pointing apply"
    hours = {sky.site.name: sky.hours(sky.high(asked.max_airmass, case.camera)) for sky in case.skies}
    long_enough = [f"{name} {value:.1f} h" for name, value in hours.items() if value > 0.0 and value >= case.hours]
    if long_enough:
        return True, f"visible at {', '.join(long_enough)}"
    longest = max(hours.values(), default=0.0)
    if longest > 0.0:
        return False, f"visible for {longest * 60.0:.0f} min at most, and the observation takes {case.hours * 60.0:.0f} min"
    return False, f"in the dark hours of the window, at {', '.join(hours) or 'no site'}, it is never above airmass {asked.max_airmass:.3g}"
