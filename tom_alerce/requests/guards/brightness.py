"""Brightness: neither so faint that the exposures end first, nor so bright that the detector saturates."""

from __future__ import annotations

import math

from followup.exposure import reached
from tom_alerce.requests.case import Case


def guard(case: Case, *, snr: float = 5.0, saturation: float = 12.0, spectrum_saturation: float = 8.0) -> tuple[bool, str]:
    """Stop exposures that reach less than ``snr`` in every filter, and objects brighter than ``saturation`` (AB mag; of spectra)."""
    if not math.isfinite(case.magnitude):
        return True, "its brightness is not known"
    limit = spectrum_saturation if case.spectrum else saturation
    if case.magnitude < limit:
        return False, f"{case.magnitude:.1f} mag is too bright for {case.asked.instrument}, whose limit here is {limit:g}"
    camera = case.camera
    exposures = [e for e in case.asked.exposures if camera is not None and e.filter in camera.filters]
    if camera is None or not exposures:
        return True, f"{case.magnitude:.1f} mag; how deep the exposures go is not known"
    best = max(reached(camera, e.filter, case.magnitude, e.seconds, e.count) for e in exposures)
    if best < snr:
        return False, f"{case.magnitude:.1f} mag is too faint: the exposures reach S/N {best:.1f} in a dark sky, and {snr:g} is the least"
    return True, f"{case.magnitude:.1f} mag: S/N {best:.0f} in a dark sky"
