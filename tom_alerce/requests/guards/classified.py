"""Classified: a spectrum of an object whose class is known, or that has one, is not worth its time."""

from __future__ import annotations

from tom_alerce.requests.case import Case


def guard(case: Case, *, imaging: bool = False) -> tuple[bool, str]:
    """Stop spectra (with ``imaging``, images too) of objects with a spectroscopic class or a spectrum in this TOM."""
    if not (case.spectrum or imaging):
        return True, "no spectrum is asked for"
    if case.classified:
        return False, f"classified already: {case.classified}"
    if case.spectra:
        return False, f"{case.spectra} spectr{'um' if case.spectra == 1 else 'a'} of it in this TOM already"
    return True, "no class and no spectrum of it is known here"
