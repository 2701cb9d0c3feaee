"""Is this target new? A match manager for the TOM Toolkit that is right at RA 0/360, at the poles, and for the names of transients.

Enable it in the settings of the TOM, and every form, query and API of the toolkit that asks whether a target exists will use it::

    MATCH_MANAGERS = {"Target": "tom_alerce.match_manager.TransientMatchManager"}

Two targets are the same source if their names or aliases agree (``AT 2026asx``, ``SN2026asx`` and ``2026asx`` do), or if they are
sidereal and nearer than ``TOM_ALERCE["MATCH_RADIUS"]`` arcseconds. Names are compared in the database, not in Python.

The toolkit imports this module while its own target model is being defined: it must import nothing that needs the models.
"""

from __future__ import annotations

import math
import re
from typing import Any

from django.db.models import F, FloatField, Q, QuerySet, Value
from django.db.models.functions import Abs, ASin, Cos, Degrees, Greatest, Least, Lower, Power, Radians, Replace, Sin, Sqrt
from tom_targets.base_models import TargetMatchManager

from broker_adapters import surveys
from tom_alerce import conf

#: What a name may be written with or without.
IGNORED = " -_()"

#: Degrees; what is less is nothing.
_TINY = 1e-100

_TNS = re.compile(r"(?:at|sn)?((?:19|20)\d{2}[a-z]{1,7})")


def separation(ra: float, dec: float) -> Any:
    """Database expression: the angle in degrees between the columns ``ra``, ``dec`` and a position, by haversines, exact when small."""
    half_dec, half_ra = _radians(F("dec") - dec) / 2.0, _radians(F("ra") - ra) / 2.0
    square = Power(Sin(half_dec), 2) + Cos(_radians(F("dec"))) * math.cos(math.radians(dec)) * Power(Sin(half_ra), 2)
    return Degrees(2.0 * ASin(Least(Sqrt(square), 1.0)), output_field=FloatField())


def _radians(degrees: Any) -> Any:
    """The size of an angle, at least `_TINY`: in PostgreSQL a product that is too small for a float is an error."""
    return Radians(Greatest(Abs(degrees), Value(_TINY)))


def near(ra: float, dec: float, radius: float) -> Q:
    """What is within ``radius`` of a position (all in degrees), and somewhat more: a condition that an index can serve.

    It holds wherever on the circle a right ascension was written, and takes all of them where the cone contains a pole.
    """
    inside = Q(dec__gte=dec - radius, dec__lte=dec + radius)
    if abs(dec) + radius >= 90:
        return inside & Q(ra__isnull=False)
    width = math.degrees(math.asin(min(math.sin(math.radians(radius)) / math.cos(math.radians(dec)), 1.0))) + 1e-9
    boxes = Q()
    for turn in (-360.0, 0.0, 360.0):
        boxes |= Q(ra__gte=ra - width + turn, ra__lte=ra + width + turn)
    return inside & boxes


def spellings(name: str) -> list[str]:
    """Simplified names that mean the same as this one: a TNS name with AT, SN or nothing, a number with its survey's label or without."""
    simple = name.lower().translate({ord(c): None for c in IGNORED})
    if found := _TNS.fullmatch(simple):
        return [prefix + found[1] for prefix in ("", "at", "sn")]
    for survey in surveys.known():
        number = survey.object_id_of(simple)
        if number and number.isdecimal() and survey.bare:
            return [number, survey.label.lower() + number]
    return [simple]


def simplified(text: Any) -> Any:
    """Database expression for a name as `spellings` writes it."""
    for character in IGNORED:
        text = Replace(text, Value(character), Value(""))
    return Lower(text)


class TransientMatchManager(TargetMatchManager):
    """``Target.matches``: see the module's docstring."""

    def _targets(self) -> QuerySet[Any]:
        targets: QuerySet[Any] = self.get_queryset()
        return targets

    def match_target(self, target: Any, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """Targets with the name of the target or, if it is sidereal, at its place."""
        same = Q(pk__in=self.match_name(target.name).values("pk"))
        if target.type != target.NON_SIDEREAL:
            radius = conf.get("MATCH_RADIUS")
            same |= Q(pk__in=self.match_cone_search(target.ra, target.dec, radius).values("pk"))
        return self._targets().filter(same)

    def match_exact_name(self, name: str) -> QuerySet[Any]:
        """Targets of which the name or an alias is exactly this."""
        exact = self._targets().filter(Q(name=name) | Q(aliases__name=name))
        return self._targets().filter(pk__in=exact.values("pk"))

    def match_fuzzy_name(self, name: str, input_queryset: QuerySet[Any] | None = None) -> QuerySet[Any]:
        """Targets of which the name or an alias means the same, out of ``input_queryset`` where it is given."""
        # the name itself as well, since a database may know less of lower case than Python does
        wanted = [simplified(Value(spelling)) for spelling in (name, *spellings(name))]
        named = self._targets().alias(own=simplified(F("name")), other=simplified(F("aliases__name")))
        named = named.filter(Q(own__in=wanted) | Q(other__in=wanted))
        queryset = self._targets() if input_queryset is None else input_queryset
        return queryset.filter(pk__in=named.values("pk"))

    def simplify_name(self, name: str) -> str:
        """One spelling for all names that mean the same."""
        return spellings(name)[0]

    def match_cone_search(self, ra: float | None, dec: float | None, radius: float | None) -> QuerySet[Any]:
        """Targets within ``radius`` arcseconds, with their ``separation`` in degrees; none where a value is missing or no position."""
        if ra is None or dec is None or radius is None or not -90 <= dec <= 90:
            return self._targets().none()
        degrees = radius / 3600.0
        cone = self._targets().filter(near(ra % 360.0, dec, degrees))
        apart: QuerySet[Any] = cone.annotate(separation=separation(ra, dec))
        return apart.filter(separation__lte=degrees)
