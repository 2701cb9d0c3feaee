"""What is at the places of many objects: hosts by the catalogues and by people, redshifts of TNS, and stars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_adapters.catalogue import Sources, stars
from classifiers.hosts import RADIUS, Hosts, associate, expansion
from followup.places import Places
from tom_alerce import conf
from tom_alerce.models import HostChoice, SkyObject, TnsObject
from tom_alerce.store import context, hosts, tns

#: Arcseconds within which a star is looked for.
STAR = 10.0


class Position(NamedTuple):
    """An object: its key, its place (degrees) and the MJD of its latest detection, None where there is none."""

    key: int
    ra: float
    dec: float
    mjd: float | None


@dataclass(frozen=True, eq=False)
class Surveyed:
    """n objects, what TNS has named among them, and what is around them, which is worked out when it is first read."""

    positions: Sequence[Position]
    named: Mapping[int, TnsObject]

    @cached_property
    def choices(self) -> Mapping[int, HostChoice]:
        """What people say of the hosts, by key."""
        return hosts.chosen(one.key for one in self.positions)

    @cached_property
    def around(self) -> context.Surroundings:
        """Sources of the catalogues, where they were at the latest detection."""
        mjd = np.array([np.nan if one.mjd is None else one.mjd for one in self.positions])
        return context.around(self._ra, self._dec, RADIUS, mjd)

    @cached_property
    def hosts(self) -> Hosts:
        """Candidates for the hosts, with what people say of them."""
        said = {i: self.choices[one.key] for i, one in enumerate(self.positions) if one.key in self.choices}
        places = {i: None if row.ra is None or row.dec is None else (row.ra, row.dec) for i, row in said.items()}
        return associate(self.around.sources, self._ra, self._dec, places)

    @cached_property
    def places(self) -> Places:
        """The record of all, as the ranking reads it."""
        found, best = self.hosts, self.hosts.best
        galaxy = np.append(found.galaxies["id"], "")[best]
        separation = np.append(found.galaxies["separation"], np.nan)[best]
        host = np.bincount(found.galaxies["query"], found.probability, len(self.positions)).astype(float)
        if "galaxies" in self.around.unknown or "galaxies" not in conf.get("CATALOGUES"):
            host = np.where(host > 0.0, host, np.nan)
        distance, told_by = self._distances()
        star, away = _nearest(self.around.sources, len(self.positions))
        return Places(host, galaxy, separation, distance, told_by, star, away)

    def of(self, i: int) -> Callable[[], Places]:
        """What reads the place of one object, when it is first asked for."""
        return lambda: self.places[i]

    def _distances(self) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        """Luminosity distances, Mpc, and whose they are: of TNS, else of a host that a person chose or that is sure enough."""
        claimed = self.hosts.claimed
        distance = np.where(claimed, self.hosts.distance, np.nan)
        told_by = np.where(claimed, "host", np.full(len(claimed), "", "U6"))
        for i, one in enumerate(self.positions):
            row = self.named.get(one.key)
            if row is not None and row.redshift is not None and row.redshift > 0.0:
                distance[i], told_by[i] = float(expansion(row.redshift)), "TNS"
            elif one.key in self.choices:
                told_by[i] = "person"
        return distance, told_by

    @property
    def _ra(self) -> NDArray[np.float64]:
        return np.array([one.ra for one in self.positions], float)

    @property
    def _dec(self) -> NDArray[np.float64]:
        return np.array([one.dec for one in self.positions], float)


def survey(skies: Sequence[SkyObject]) -> Surveyed:
    """What is at the places of these objects."""
    return Surveyed([Position(one.pk, one.ra, one.dec, one.last_mjd) for one in skies], tns.of(skies))


def _nearest(sources: Sources, n: int) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Name of the nearest star of each of n objects, '' where none is near, and the arcseconds to it."""
    rows = sources[(sources["separation"] <= STAR) & stars(sources)]
    rows = rows[np.argsort(-rows["separation"], kind="stable")]
    names, away = np.full(n, "", rows["id"].dtype), np.full(n, np.nan)
    names[rows["query"]], away[rows["query"]] = rows["id"], rows["separation"]
    return names, away
