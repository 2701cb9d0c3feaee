"""What is at the place of an object, for its page: galaxies that may be its host, stars, dust, and what TNS has named there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from broker_adapters.catalogue import Sources, magnitude, stars
from broker_adapters.dust import EXTINCTION, reddening
from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Detections
from broker_adapters.significance import alerts
from classifiers import hosts
from tom_alerce.models import HostChoice, SkyObject, TnsObject
from tom_alerce.pages.summaries import Summary
from tom_alerce.store import places

#: Candidates that are shown, and the least probability of one.
SHOWN, LEAST = 5, 0.01
#: Arcseconds within which a star is shown: it spoils the photometry, or is the source itself.
STARS = 20.0
#: What people said before, of which at most so many are listed.
PAST = 20


@dataclass(frozen=True, slots=True)
class Galaxy:
    """One candidate; NaN for what is not known."""

    name: str
    probability: float
    why: str
    redshift: float
    distance: float
    kpc: float

    @property
    def likely(self) -> bool:
        """Whether it is likelier than everything else together."""
        return self.probability > 0.5


@dataclass(frozen=True, slots=True)
class Star:
    """A star, with its distance in arcseconds and its magnitude G."""

    name: str
    separation: float
    magnitude: float


@dataclass(frozen=True, slots=True)
class Place:
    """What is at the place of an object.

    Attributes
    ----------
    tns : TnsObject or None
    galaxies : sequence of Galaxy
        The likeliest first.
    unlisted, hostless : float
        Probability that the host is in no catalogue, and that there is none.
    redshift, redshift_from : float, str
        The best that is known, and whose it is; NaN and '' where there is none.
    distance : float
        Luminosity distance, Mpc.
    brightest, band : float, str
        Absolute magnitude at the brightest detection, corrected for the dust of our galaxy where that is known; NaN without a redshift.
    reddening : float
        E(B - V), magnitudes; NaN near the plane.
    stars : sequence of Star
    unknown : mapping of catalogue to reason
    choice : HostChoice or None
        What a person says of the host.
    past : iterable of HostChoice
        What people said before, latest first.
    """

    tns: TnsObject | None
    galaxies: Sequence[Galaxy]
    unlisted: float
    hostless: float
    redshift: float
    redshift_from: str
    distance: float
    brightest: float
    band: str
    reddening: float
    stars: Sequence[Star]
    unknown: Mapping[str, str]
    choice: HostChoice | None
    past: Iterable[HostChoice]


@dataclass(frozen=True, slots=True)
class Brief:
    """What a row of the board says of a place, as in `Place`; ``galaxy`` is the likeliest host where the distance is by a host, else ''."""

    tns: TnsObject | None
    galaxy: str
    distance: float
    brightest: float
    band: str


def briefs(summaries: Mapping[int, Summary]) -> dict[int, Brief]:
    """What rows of the board say of the places of their objects, by key; nothing is asked over the network."""
    skies = [one.sky_object for one in summaries.values()]
    known = places.survey(skies)
    dust = reddening([one.ra for one in skies], [one.dec for one in skies])
    found = {}
    for i, sky in enumerate(skies):
        distance = float(known.places.distance[i])
        galaxy = "" if known.places.told_by[i] == "TNS" else str(known.places.galaxy[i])
        brightest, band = _brightest(summaries[sky.pk].detections, distance, float(dust[i]))
        found[sky.pk] = Brief(known.named.get(sky.pk), galaxy, distance, brightest, band)
    return found


def place(sky: SkyObject, detections: Detections) -> Place:
    """What is at the place of one object; nothing is asked over the network."""
    known = places.survey([sky])
    around, found, named = known.around, known.hosts, known.named.get(sky.pk)
    redshift, whose = _redshift(found, named)
    distance = float(known.places.distance[0])
    dust = float(reddening(sky.ra, sky.dec)[0])
    brightest, band = _brightest(detections, distance, dust)
    return Place(
        named, _galaxies(found), float(found.unlisted[0]), float(found.hostless[0]), redshift, whose, distance, brightest, band, dust,
        _stars(around.sources), around.unknown, known.choices.get(sky.pk),
        sky.host_choices.exclude(undone=None).select_related("author", "undone_by").order_by("-pk")[:PAST],
    )  # fmt: skip


def _galaxies(found: hosts.Hosts) -> list[Galaxy]:
    order = np.argsort(-found.probability, kind="stable")[:SHOWN]
    far, rows = hosts.distances(found.galaxies), found.galaxies
    kpc = hosts.projected(found.galaxies)
    return [
        Galaxy(
            str(rows["id"][k]), float(found.probability[k]), found.why(k), float(rows["redshift"][k]), float(far[k]), float(kpc[k])
        )
        for k in order.tolist()
        if found.probability[k] >= LEAST
    ]  # fmt: skip


def _redshift(found: hosts.Hosts, named: TnsObject | None) -> tuple[float, str]:
    if named is not None and named.redshift is not None and named.redshift > 0.0:
        return named.redshift, "TNS"
    return (float(found.redshift[0]), "host") if found.claimed[0] else (float("nan"), "")


def _brightest(detections: Detections, distance: float, dust: float) -> tuple[float, str]:
    rows = detections[alerts(detections)]
    rows = rows[rows["flux"] > 0.0]
    if not len(rows) or not distance > 0.0:
        return float("nan"), ""
    row = rows[int(np.argmax(rows["flux"]))]
    band = str(row["band"])
    extinction = EXTINCTION.get(band, 0.0) * (dust if dust == dust else 0.0)
    return float(magnitude_from_flux(row["flux"])) - extinction - 5.0 * float(np.log10(distance)) - 25.0, band


def _stars(sources: Sources) -> list[Star]:
    rows = sources[stars(sources) & (sources["separation"] <= STARS)]
    return [
        Star(str(row["id"]), float(row["separation"]), float(g)) for row, g in zip(rows, magnitude(rows, "G"), strict=True)
    ][:SHOWN]  # fmt: skip
