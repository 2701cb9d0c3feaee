"""Template filters: times, positions and numbers as an observer writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from astropy.coordinates import Angle
from astropy.time import Time
from django import template
from django.conf import settings
from django.db.models import Value
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from broker_adapters import lifetime, surveys
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, EventCandidate, Halt, Series, Trigger
from tom_alerce.pages.figures import colours
from tom_alerce.pages.figures.draw import draw
from tom_alerce.pages.figures.svg import Plot
from tom_alerce.pages.theme import theme
from tom_alerce.store import photometry

register = template.Library()


@register.filter
def utc(mjd: float | None) -> datetime | str:
    """Date and time (UTC) of an MJD; '' for None."""
    return "" if mjd is None else Time(mjd, format="mjd").to_datetime()


@register.filter
def ago(mjd: float | None) -> str:
    """Time since an MJD: '12 min', '3.4 h', '12 d'; '' for None."""
    return "" if mjd is None else span(now_mjd() - mjd)


@register.filter
def age(mjd: float, now: float) -> str:
    """Time from one MJD to another."""
    return span(now - mjd)


@register.filter
def day(mjd: float | None) -> str:
    """Date (UTC) of an MJD: '2019-11-08'; '' for None."""
    return "" if mjd is None else lifetime.day(mjd)


@register.filter
def times(count: int) -> str:
    """A number of occasions: 'once', '112 times'."""
    return "once" if count == 1 else f"{count} times"


@register.filter
def new_at(first_mjd: float | None, at: float) -> bool:
    """Whether a first detection is in the day before ``at`` (MJD)."""
    return first_mjd is not None and first_mjd >= at - 1.0


@register.filter
def span(days: float) -> str:
    """A time span in days with the unit in which it has few digits."""
    if abs(days) < 1 / 1440:
        return "<1 min"
    for unit, size, limit in (("min", 1 / 1440, 60), ("h", 1 / 24, 36), ("d", 1.0, 1000)):
        value = days / size
        if abs(value) < limit:
            return f"{value:.0f} {unit}" if unit == "min" or abs(value) >= 10 else f"{value:.1f} {unit}"
    return f"{days / 365.25:.1f} yr"


@register.filter
def rarity(hertz: float) -> str:
    """Time between two of what happens so often: '61,000 yr'."""
    years = 1.0 / (hertz * 365.25 * 86400.0) if hertz > 0.0 else math.inf
    return "never" if math.isinf(years) else span(365.25 * years) if years < 1000.0 else f"{float(f'{years:.2g}'):,.0f} yr"


@register.filter
def square_degrees(area: float) -> str:
    """An area of the sky with the unit in which it has few digits."""
    for unit, size in (("deg²", 1.0), ("arcmin²", 3600.0)):
        if area * size >= 0.1:
            return f"{area * size:,.0f} {unit}" if area * size >= 100.0 else f"{area * size:.3g} {unit}"
    return f"{area * 3600.0**2:.3g} arcsec²"


@register.simple_tag
def events_of(sky_object: Any) -> list[EventCandidate]:
    """Events in whose region and time an object was found, latest first; one query."""
    rows = EventCandidate.objects.filter(sky_object=sky_object).select_related("event", "decided_by").order_by("-event__mjd", "-pk")
    return list(rows[:20])


@register.filter
def ra_hms(degrees: float) -> str:
    """Right ascension as 12:34:56.78."""
    return str(Angle(degrees, "deg").to_string("hour", sep=":", precision=2, pad=True))


@register.filter
def dec_dms(degrees: float) -> str:
    """Declination as +12:34:56.7."""
    return str(Angle(degrees, "deg").to_string("deg", sep=":", precision=1, pad=True, alwayssign=True))


@register.filter
def number(value: float | None, digits: int = 2) -> str:
    """A number with fixed digits in any locale; an en dash if it is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


@register.filter
def signed(value: float, digits: int) -> str:
    """A number with its sign, in ASCII for other programs."""
    return f"{value:+.{digits}f}"


@register.filter
def minus_number(value: float) -> str:
    """A number with the other sign, in ASCII for SVG, whose angles grow with the clock."""
    return f"{-value:.1f}"


@register.filter
def percent(value: float | None) -> str:
    """A fraction in per cent, for a CSS width: '0' to '100'."""
    return "0" if value is None or not math.isfinite(value) else f"{100 * min(max(value, 0.0), 1.0):.0f}"


@register.filter
def percentage(value: float | None, digits: int = 0) -> str:
    """A fraction in per cent with its sign, for people: '3.1 %'; an en dash if it is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{number(100.0 * value, digits)}\u202f%"


@register.filter
def by_probability(probabilities: dict[str, float | None]) -> list[tuple[str, float | None]]:
    """Classes and their probabilities, the most probable first; classes without a number (some brokers give none) last."""
    return sorted(probabilities.items(), key=lambda item: math.inf if item[1] is None else -item[1])


@register.filter
def chance(classification: Classification) -> float | None:
    """Probability of the label of a classification; None if its origin gave none."""
    probability: float | None = classification.probabilities.get(classification.label, classification.probability)
    return probability


@register.filter
def spelled(classification: Classification) -> str:
    """Who says it, and every probability: 'local stamp 1.0: SN 0.81 AGN 0.09'."""
    every = " ".join(f"{name} {number(p)}" for name, p in by_probability(classification.probabilities))
    return f"{classification.origin} {classification.classifier} {classification.version}: {every}"


@register.filter
def bandpass(band: Mapping[str, Any]) -> str:
    """Name of a band with its survey, as the target's photometry has it: 'ZTF-r'."""
    return photometry.bandpass(band["survey"], band["band"])


@register.filter
def pretty(value: Any) -> str:
    """JSON with indentation."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@register.filter
def drawn(plot: Plot, css: str = "") -> SafeString:
    """A figure as SVG with a CSS class."""
    return draw(plot, css)


@register.filter
def links(survey_object: Any) -> list[tuple[str, str]]:
    """Pages about a survey object at the brokers: (name, address)."""
    object_id = quote(survey_object.object_id, safe="")
    return [(title, address.format(object_id)) for title, address in surveys.about(survey_object.survey).pages]


@register.filter
def sky_links(sky_object: Any) -> list[tuple[str, str]]:
    """Pages of archives about a position: (name, address)."""
    position = f"{sky_object.ra:.6f}%20{sky_object.dec:+.6f}"
    return [
        ("SIMBAD", f"https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={position}&Radius=10&Radius.unit=arcsec"),
        ("NED", f"https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&ra={sky_object.ra:.6f}d"
                f"&dec={sky_object.dec:.6f}d&radius=0.5"),
        ("TNS", f"https://www.wis-tns.org/search?ra={sky_object.ra:.6f}&decl={sky_object.dec:.6f}&radius=3&coords_unit=arcsec"),
        ("Legacy Survey", f"https://www.legacysurvey.org/viewer?ra={sky_object.ra:.6f}&dec={sky_object.dec:.6f}&zoom=15"),
        ("Aladin", f"https://aladin.cds.unistra.fr/AladinLite/?target={position}&fov=0.05"),
    ]  # fmt: skip


@register.simple_tag(takes_context=True)
def chosen_theme(context: Mapping[str, Any]) -> str:
    """Colour theme of a page of the TOM: 'dark', 'red', or 'site', which is 'own' where the TOM has a theme of its own."""
    chosen = theme(context["request"]) if "request" in context else "site"
    return "own" if chosen == "site" and getattr(settings, "CSS_THEME", None) else chosen


@register.simple_tag
def band_style() -> str:
    """CSS rules with the colours of all bands."""
    return mark_safe(colours.style())  # of our own and installed plug-ins, names and colours checked


@register.simple_tag
def plotly_url() -> str:
    """Address of the plotly script, which this TOM serves itself."""
    from plotly.offline import get_plotlyjs_version

    return reverse("tom_alerce:plotly", args=[get_plotlyjs_version()])


@register.simple_tag(takes_context=True)
def trigger_switch(context: dict[str, Any]) -> dict[str, Any]:
    """The halt that stands, how many triggers and series that send are on, and what the reader may do; nothing for no viewer.

    One query, two while it stands.
    """
    user = context["request"].user
    if not visible.may(user, "view"):
        return {}
    may = {"may_stop": visible.may(user, "request"), "may_release": visible.may(user, "configure")}
    halts, on = Halt.objects.filter(ended=None), Trigger.objects.exclude(mode=Trigger.Mode.OFF)
    sending = Series.objects.filter(ended=None, sends=True)
    every = (rows.order_by().values_list(Value(kind)) for kind, rows in (("trigger", on), ("series", sending)))
    kinds = [*halts.order_by().values_list(Value("halt")).union(*every, all=True)]
    counts = {"working": kinds.count(("trigger",)), "repeating": kinds.count(("series",))}
    return {"halt": Halt.current() if ("halt",) in kinds else None, **counts, **may}
