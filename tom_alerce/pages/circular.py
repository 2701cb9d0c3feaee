"""Draft of a circular: what a team would write to GCN of the candidates of an event, for a person to correct and send."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

from astropy.coordinates import Angle

from broker_adapters.times import datetime_from_mjd
from tom_alerce.models import SkyEvent
from tom_alerce.pages.summaries import Summary
from tom_alerce.store.judged import Judged

#: Candidates that a draft lists.
LISTED = 20


def draft(event: SkyEvent, judged: Sequence[Judged], summaries: Mapping[int, Summary]) -> str:
    """Subject and text, with public names alone; candidates that are ruled out or rejected are only counted."""
    counting = [one for one in judged if one.counts][:LISTED]
    excluded = sum(not one.counts for one in judged)
    time = "" if event.mjd is None else f" (event time {datetime_from_mjd(event.mjd):%Y-%m-%d %H:%M:%S} UTC)"
    kind = "counterpart candidate" if len(counting) == 1 else "counterpart candidates"
    area = f" The region of 90 % has {event.area:.4g} square degrees." if event.area is not None else ""
    lines = [
        f"SUBJECT: {event.name}: {len(counting) or 'no'} optical {kind} among alerts of wide-field surveys",
        "",
        "[Authors] report on behalf of [collaboration]:",
        "",
        f"We searched the alerts of our TOM for objects in the region of {event.name}{time}, first detected within a month.{area}",
        "",
    ]
    if counting:
        header = f"{'Name':22} {'RA (J2000)':12} {'Dec (J2000)':12} {'first seen':11} {'mag':>12} {'level':>6} {'D [Mpc]':>8}"
        lines += [header, "-" * len(header), *(_row(one, summaries) for one in counting), ""]
        lines += ["Level: probability of all places at least as probable. D: luminosity distance of the likeliest host, where known."]
        chance = counting[-1].expected
        if math.isfinite(chance):
            lines += [f"From our own counts we expect {chance:.2g} unrelated objects in as probable places in this time."]
    else:
        lines += ["We find no candidate."]
    if excluded:
        lines += [f"{excluded} further object{'s are' if excluded > 1 else ' is'} excluded by earlier activity, place or inspection."]
    return "\n".join(line if line.startswith(("SUBJECT", "---")) or "  " in line else textwrap.fill(line, 78) for line in lines) + "\n"


def _row(one: Judged, summaries: Mapping[int, Summary]) -> str:
    sky = one.row.sky_object
    ra = Angle(sky.ra, "deg").to_string("hour", sep=":", precision=2, pad=True)
    dec = Angle(sky.dec, "deg").to_string("deg", sep=":", precision=1, pad=True, alwayssign=True)
    summary = summaries.get(sky.pk)
    latest = None if summary is None else summary.latest
    magnitude = "" if latest is None else f"{latest.band} {latest.latest:.2f}"
    distance = f"{one.distance:.0f}" if math.isfinite(one.distance) else "-"
    return f"{sky.public_name:22} {ra:12} {dec:12} {one.row.delay:+8.2f} d {magnitude:>12} {one.row.level:6.2f} {distance:>8}"
