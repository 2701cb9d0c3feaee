"""Match manager for the TOM Toolkit: finds existing targets by name and position, also at RA 0/360, at the poles and for TNS names.

Enable it in the settings of the TOM; the forms, queries and API of the toolkit use it to look for an existing target::

    MATCH_MANAGERS = {"Target": "tom_alerce.match_manager.TransientMatchManager"}

Two targets are the same source if their names or aliases agree (``AT 2026asx``, ``SN2026asx`` and ``2026asx`` do), or if they are
sidereal and nearer than ``TOM_ALERCE["MATCH_RADIUS"]`` arcseconds. The database compares the names. What moves is never the same as what
does not: the asteroid ``2026 AB`` is not the transient ``AT 2026ab``, though a name alone, written in capitals, may mean either.

The toolkit imports this module while it defines its own target model: nothing that needs the models may be imported here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import reduce
from typing import Any

from django.db.models import CharField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Abs, ASin, Cos, Degrees, Greatest, Least, Power, Radians, Sin, Sqrt
from tom_targets.base_models import TargetMatchManager

from broker_adapters import surveys
from tom_alerce import conf

#: Characters that do not distinguish names.
IGNORED = " -_()"
#: SQL of a name simplified, with the characters written out, since no database finds an index for an expression with parameters.
SIMPLIFIED = reduce(lambda text, character: f"REPLACE({text}, '{character}', '')", IGNORED, "%(expressions)s").join(("LOWER(", ")"))

#: Smallest angle, degrees.
_TINY = 1e-100

_TNS = re.compile(r"(?:at|sn)?((?:19|20)\d{2}[a-z]{1,7})")

#: A provisional designation of the Minor Planet Center, which has two capitals and may have a number.
_ASTEROID = re.compile(r"[(\s]*(?:18|19|20)\d{2}[\s_-]?[A-HJ-Y][A-HJ-Z]\d{0,3}[)\s]*")


def separation(ra: float, dec: float) -> Any:
    """Database expression: angle in degrees between the columns ``ra``, ``dec`` and a position; haversine formula, exact for small ones."""
    half_dec, half_ra = _radians(F("dec") - dec) / 2.0, _radians(F("ra") - ra) / 2.0
    square = Power(Sin(half_dec), 2) + Cos(_radians(F("dec"))) * math.cos(math.radians(dec)) * Power(Sin(half_ra), 2)
    return Degrees(2.0 * ASin(Least(Sqrt(square), 1.0)), output_field=FloatField())


def _radians(degrees: Any) -> Any:
    """Absolute value of an angle, at least `_TINY`: in PostgreSQL a product too small for a float is an error."""
    return Radians(Greatest(Abs(degrees), Value(_TINY)))


def near(ra: float, dec: float, radius: float) -> Q:
    """Condition for a box around a cone of ``radius`` about a position (all in degrees), which an index can serve.

    It holds for right ascensions written outside [0, 360), and takes all of them if the cone contains a pole.
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
    """Simplified forms of a name: a TNS name with AT, SN or nothing, a number with and without its survey's label."""
    simple = name.lower().translate({ord(c): None for c in IGNORED})
    if match := _TNS.fullmatch(simple):
        return [prefix + match[1] for prefix in ("", "at", "sn")]
    for survey in surveys.known():
        number = survey.object_id_of(simple)
        if number and number.isdecimal() and survey.bare:
            return [number, survey.label.lower() + number]
    return [simple]


def simplified(text: Any) -> Any:
    """Database expression: a name simplified as `spellings` does; of a name of a target it is indexed (`tom_alerce.store.indexes`)."""
    return Func(text, template=SIMPLIFIED, output_field=CharField())


def transient(name: str) -> bool:
    """Whether a name is that of a transient, and cannot be an asteroid's."""
    simple = name.lower().translate({ord(c): None for c in IGNORED})
    return _TNS.fullmatch(simple) is not None and _ASTEROID.fullmatch(name) is None


class TransientMatchManager(TargetMatchManager):
    """Manager of ``Target.matches``; the module's docstring has the rules."""

    def _targets(self) -> QuerySet[Any]:
        targets: QuerySet[Any] = self.get_queryset()
        return targets

    def match_target(self, target: Any, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """Targets with the name of this target or, if it is sidereal, at its position; what moves matches what moves alone."""
        if target.type == target.NON_SIDEREAL:
            moving = self._targets().filter(type=target.NON_SIDEREAL)
            return self._named(target.name, [self._simple(target.name)], moving)
        same = Q(pk__in=self.match_name(target.name).exclude(type=target.NON_SIDEREAL).values("pk"))
        if target.ra is not None:
            radius = conf.get("MATCH_RADIUS")
            same |= Q(pk__in=self.match_cone_search(target.ra, target.dec, radius).values("pk"))
        return self._targets().filter(same)

    def match_exact_name(self, name: str) -> QuerySet[Any]:
        """Targets with exactly this name or alias."""
        exact = self._targets().filter(Q(name=name) | Q(aliases__name=name))
        return self._targets().filter(pk__in=exact.values("pk"))

    def match_fuzzy_name(self, name: str, input_queryset: QuerySet[Any] | None = None) -> QuerySet[Any]:
        """Targets of ``input_queryset`` (default: all) with a name or alias that means the same."""
        queryset = self._targets() if input_queryset is None else input_queryset
        moving = Q(type=self.model.NON_SIDEREAL)
        found = Q(pk__in=self._named(name, spellings(name), queryset.exclude(moving)).values("pk"))
        if not transient(name):
            found |= Q(pk__in=self._named(name, [self._simple(name)], queryset.filter(moving)).values("pk"))
        return queryset.filter(found)

    def _named(self, name: str, spelled: Iterable[str], queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of these targets with the name, or one of its simplified spellings, as name or alias."""
        # the name itself as well, since LOWER of a database may handle fewer characters than Python's
        wanted = [simplified(Value(spelling)) for spelling in (name, *spelled)]
        named = self._targets().alias(own=simplified(F("name")), other=simplified(F("aliases__name")))
        named = named.filter(Q(own__in=wanted) | Q(other__in=wanted))
        return queryset.filter(pk__in=named.values("pk"))

    @staticmethod
    def _simple(name: str) -> str:
        return name.lower().translate({ord(c): None for c in IGNORED})

    def simplify_name(self, name: str) -> str:
        """The same simplified name for all names that mean the same."""
        return spellings(name)[0]

    def match_cone_search(self, ra: float | None, dec: float | None, radius: float | None) -> QuerySet[Any]:
        """Targets within ``radius`` arcseconds, with their ``separation`` in degrees; none if a value is missing or is no position."""
        if ra is None or dec is None or radius is None or not -90 <= dec <= 90:
            return self._targets().none()
        degrees = radius / 3600.0
        cone = self._targets().filter(near(ra % 360.0, dec, degrees))
        apart: QuerySet[Any] = cone.annotate(separation=separation(ra, dec))
        return apart.filter(separation__lte=degrees)
