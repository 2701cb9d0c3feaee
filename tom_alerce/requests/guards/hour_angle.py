"""Hour angle: the telescope can point to it while it is visible."""

from __future__ import annotations

from tom_alerce.requests.case import Case


def guard(case: Case) -> tuple[bool, str]:
    """Stop what is visible only where the telescope does not point."""
    visible = False
    for sky in case.skies:
        high = sky.high(case.asked.max_airmass, case.camera)
        if (high & sky.reached(case.camera)).any():
            return True, f"within the hour angles of {case.asked.instrument} at {sky.site.name}"
        visible |= bool(high.any())
    if not visible or case.camera is None:
        return True, "no site sees it, so that the hour angle does not matter"
    return False, f"visible only beyond the hour angles within {case.camera.hour_angle:g} h to which {case.asked.instrument} points"
