"""Moon: the distance that the request asks for is kept while the object is visible."""

from __future__ import annotations

from tom_alerce.requests.case import Case


def guard(case: Case) -> tuple[bool, str]:
    """Stop what is never far enough from the Moon while it is high enough."""
    wanted, nearest = case.asked.min_lunar_distance, []
    for sky in case.skies:
        high = sky.high(case.asked.max_airmass, case.camera)
        if (high & sky.off_moon(wanted)).any():
            return True, f"{sky.moon_separation[high].min():.0f}° from the Moon at least, at {sky.site.name}"
        nearest += [float(sky.moon_separation[high].max())] if high.any() else []
    if not nearest:
        return True, "no site sees it, so that the Moon does not matter"
    return False, f"{max(nearest):.0f}° from the Moon at most while it is visible, and {wanted:.0f}° are asked for"
