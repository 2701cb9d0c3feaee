"""Instrument: it exists, has what is asked of it, and suits the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tom_alerce.requests.case import Case

#: What the facility does not have, nobody can ask for.
OVERRIDABLE = False

_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})


def guard(case: Case, *, unwanted: Sequence[str] = ("asteroid", "bogus"), suited: Mapping[str, Sequence[str]] = _NONE) -> tuple[bool, str]:
    """Stop instruments and filters that there are not, and wrong ones for the class.

    ``unwanted`` are classes of which nothing is requested; ``suited`` is class -> the instruments that suit it, for classes that do not
    suit every instrument. The class is the most probable one of any classifier.
    """
    name = case.asked.instrument
    if not name:
        return False, "its instrument is not known"
    if case.camera is None:
        return False, f"there is no instrument {name!r}; there are: {', '.join(case.instruments)}"
    if absent := [e.filter for e in case.asked.exposures if e.filter not in case.camera.filters]:
        return False, f"{name} has no {', '.join(dict.fromkeys(absent))}; it has: {', '.join(case.camera.filters)}"
    for classifier, classes in case.classes.items():
        label = max(classes, key=lambda one: classes[one], default="")
        if label in unwanted:
            return False, f"{classifier} says {label} ({classes[label]:.2f})"
        if label in suited and name not in suited[label]:
            return False, f"{classifier} says {label} ({classes[label]:.2f}), for which {', '.join(suited[label])} would suit"
    return True, f"{name} has what is asked for"
