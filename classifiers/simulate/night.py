"""``python -m classifiers.simulate.night --seed 1 --out DIR``: a night of alerts of ZTF, ATLAS, Rubin and Lasair about the same sky.

The same seed and time write the same files::

    DIR/ztf/*.avro  DIR/atlas/*.avro  DIR/lsst/*.avro      alert packets, history included where the survey sends it
    DIR/lasair/*.json                                      messages of Lasair's filter topics, one a file
    DIR/trouble/*                                          packets that cannot be read, and a duplicate
    DIR/truth.csv                                          class and names of each source
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import erfa
import numpy as np
from threadpoolctl import threadpool_limits

from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Detections, Kind
from broker_adapters.times import MJD_ZERO_JD, datetime_from_mjd, mjd_from_datetime
from classifiers.simulate import bad_packets, lasair, names
from classifiers.simulate._psf import Images
from classifiers.simulate.cutouts import simulate_cutouts
from classifiers.simulate.observe import SURVEYS, covers, observe, visits
from classifiers.simulate.packets import atlas, lsst, ztf
from classifiers.simulate.sources import Source, population, source

#: Days of history that are simulated; ZTF's packets carry thirty of them.
HISTORY = 60.0
_ZTF_HISTORY = 30.0
#: Arcseconds between neighbours: ZTF and Rubin resolve them, ATLAS's positions do not tell them apart.
_NEIGHBOURS = 2.2
#: Days before an object's latest alert within which alerts have packets, as has its first; more for ATLAS, which sends no history.
_RECENT = {"ztf": 0.5, "atlas": 2.5, "lsst": 0.5}


@dataclass(slots=True)
class View:
    """One source in one survey: its object id and rows, and which rows have a packet."""

    source: Source
    survey: str
    object_id: str
    rows: Detections = field(repr=False)
    triggers: list[int] = field(default_factory=list)


def simulate(seed: int, now: float, n: int = 150, latitude: float = -30.2, neighbours: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a night that ends at ``now`` (MJD, UTC), the truth last.

    Parameters
    ----------
    seed : int
        The same seed, time, number and latitude give the same bytes.
    now : float
        Nothing is observed after it; sources are visible in the following night.
    n : int
        Sources on the sky.
    latitude : float
        Latitude in degrees of the site from which the sources should be observable.
    neighbours : int
        Pairs of supernovae so close to each other that a person must say to which one ATLAS's object belongs.
    """
    random = np.random.default_rng(seed)
    views = [view for s in sky(n, now, latitude, random, neighbours) for view in _views(s, now, random)]
    good = b""
    for survey in SURVEYS:
        for view in (v for v in views if v.survey == survey):
            for name, good in _packets(view, random):
                yield name, good
    yield from _messages(views, now)
    yield from _bad_packets(views, good, random)
    yield "truth.csv", _truth(views)


def packets(survey: str, seed: int, now: float, n: int) -> Iterator[bytes]:
    """Yield the packets of one survey alone about n sources on the sky, as `simulate` would."""
    random = np.random.default_rng(seed)
    for s in sky(n, now, -30.2, random):
        for view in _views(s, now, random):
            if view.survey == survey and s.label != "asteroid":
                yield from (data for _, data in _packets(view, random))


def sky(n: int, now: float, latitude: float, random: np.random.Generator, neighbours: int = 0) -> list[Source]:
    """Draw sources around the point opposite the Sun, most at declinations that all surveys and the site can observe; some in pairs."""
    sun = -erfa.epv00(MJD_ZERO_JD, now)[0]["p"]
    midnight = np.degrees(np.arctan2(sun[1], sun[0])) + 180.0
    low, high = max(latitude - 50.0, -29.0), min(latitude + 50.0, 11.0 if latitude < 11.0 else 60.0)
    ra = (midnight + random.uniform(-80.0, 80.0, n)) % 360.0
    dec = np.degrees(np.arcsin(random.uniform(np.sin(np.radians(low)), np.sin(np.radians(high)), n)))
    labels = population(n, random)
    supernovae = [i for i, label in enumerate(labels) if label.startswith("SN") and dec[i] > -27.0][::-1][: 2 * neighbours]
    for one, other in zip(supernovae[::2], supernovae[1::2], strict=False):
        ra[other], dec[other] = ra[one], dec[one] - _NEIGHBOURS / 3600.0
    return [source(i, label, (float(ra[i]), float(dec[i])), now, random) for i, label in enumerate(labels)]


def _views(s: Source, now: float, random: np.random.Generator) -> Iterator[View]:
    """Yield the views of a source in the surveys that observe it.

    Bogus is in one survey alone; a moving source is a new object at every visit.
    """
    surveys = [survey for survey in SURVEYS if covers(survey, s)]
    if s.label == "bogus":
        surveys = [surveys[s.index % len(surveys)]]
    for survey in surveys:
        mjd, band = visits(survey, now, HISTORY, random)
        rows = observe(s, survey, mjd, band, random)
        _name(rows, s, survey, random)
        alerts = np.flatnonzero(rows["kind"] == Kind.ALERT)
        if not len(alerts) or rows["mjd"][alerts[-1]] < now - 2.0 * SURVEYS[survey].cadence:
            continue
        recent = [int(i) for i in alerts if rows["mjd"][i] > rows["mjd"][alerts[-1]] - _RECENT[survey]]
        if s.label == "asteroid":
            for k, i in enumerate(recent[-2:]):
                yield View(s, survey, _object_id(s, survey, rows[i : i + 1], 1 + k), rows[i : i + 1], [0])
        else:
            first = [] if survey == "atlas" else [int(alerts[0])]
            yield View(s, survey, _object_id(s, survey, rows[alerts], 0), rows, sorted({*first, *recent}))


def _name(rows: Detections, s: Source, survey: str, random: np.random.Generator) -> None:
    """Set the source ids of the alerts, and their real-bogus scores where the survey gives them."""
    for i in np.flatnonzero(rows["kind"] == Kind.ALERT):
        mjd, band = float(rows["mjd"][i]), str(rows["band"][i])
        if survey == "ztf":
            rows["source_id"][i] = names.ztf_candid(mjd, s.index)
        elif survey == "atlas":
            rows["source_id"][i] = names.atlas_candid(mjd, band, s.index)
        else:
            rows["source_id"][i] = names.lsst_source(mjd, s.index)
        if survey != "atlas":
            rows["reliability"][i] = random.uniform(0.05, 0.6) if s.label == "bogus" else 1.0 - random.beta(1.0, 30.0)


def _object_id(s: Source, survey: str, alerts: Detections, visit: int) -> str:
    first = alerts[0]
    if survey == "ztf":
        year = datetime_from_mjd(first["mjd"]).year
        return names.ztf_object(10 * s.index + visit, year)
    return names.atlas_object(float(first["ra"]), float(first["dec"])) if survey == "atlas" else str(first["source_id"])


def _packets(view: View, random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Yield the packets of one source in one survey."""
    images, said = simulate_cutouts(view.source, view.rows[view.triggers], random)
    for i, stamps, fields in zip(view.triggers, images, said, strict=True):
        yield f"{view.survey}/{view.object_id}_{view.rows['source_id'][i]}.avro", _packet(view, i, stamps, fields)


def _packet(view: View, i: int, stamps: Images, fields: Mapping[str, Any]) -> bytes:
    rows, at = view.rows, view.rows["mjd"][i]
    if view.survey == "atlas":
        stamps[1] = np.nan  # ATLAS sends no template
        return atlas.write(rows[i : i + 1], object_id=view.object_id, stamps=stamps, publisher="ATLAS-01a")
    alerts = (rows["kind"] == Kind.ALERT) & (rows["mjd"] <= at)
    if view.survey == "ztf":
        known = alerts | ((rows["kind"] != Kind.ALERT) & (rows["mjd"] < at))
        chosen = rows[known & (rows["mjd"] > at - _ZTF_HISTORY)]
        return ztf.write(chosen, object_id=view.object_id, stamps=stamps, metadata={**fields, **_asteroid(view, i)})
    first = rows["mjd"][rows["kind"] == Kind.ALERT].min()
    chosen = rows[alerts | ((rows["kind"] == Kind.FORCED) & (rows["mjd"] > first) & (rows["mjd"] < at))]
    return lsst.write(chosen, object_id=view.object_id, stamps=stamps, moving=_known(view.source))


def _known(s: Source) -> bool:
    """Whether an asteroid has a catalogued orbit: half of them have."""
    return s.label == "asteroid" and s.index % 2 == 0


def _asteroid(view: View, i: int) -> Mapping[str, Any]:
    """Fields of ZTF's candidate on a known asteroid at the position."""
    if not _known(view.source):
        return {}
    magnitude = float(magnitude_from_flux(view.rows["flux"][i]))
    return {"ssdistnr": 0.3, "ssmagnr": magnitude, "ssnamenr": str(90_000 + view.source.index)}


def _messages(views: Sequence[View], now: float) -> Iterator[tuple[str, bytes]]:
    """Yield Lasair's messages: here its filters select every third source that is not bogus."""
    utc = datetime_from_mjd(now).strftime("%Y-%m-%d %H:%M:%S")
    writers = {"ztf": lasair.ztf_message, "lsst": lasair.lsst_message}
    for view in views:
        if view.survey in writers and view.source.index % 3 == 0 and view.source.label not in ("bogus", "asteroid"):
            data = writers[view.survey](view.object_id, view.source.label, view.rows, utc)
            yield f"lasair/{view.survey}_{view.object_id}.json", data


def _bad_packets(views: Sequence[View], good: bytes, random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Yield damaged and impossible packets of a source of their own, and a duplicate of the good packet."""
    view = next(v for v in views if v.survey == "ztf" and v.source.label not in ("bogus", "asteroid"))
    rows = view.rows[view.triggers[-1:]]
    (images,), _ = simulate_cutouts(view.source, rows, random)
    rows["source_id"] = names.ztf_candid(float(rows["mjd"][0]) - 0.5, 999_999)
    lost = names.ztf_object(8_031_810_175, 26)
    files = {
        **bad_packets.damaged(ztf.write(rows, object_id=lost, stamps=images)),
        **bad_packets.impossible(lambda fields: ztf.write(rows, object_id=lost, stamps=images, metadata=fields)),
        "duplicate": good,
    }
    for name, data in files.items():
        yield f"trouble/{name}.avro", data


def _truth(views: Sequence[View]) -> bytes:
    lines = [("source", "label", "ra", "dec", "survey", "object_id")]
    for v in views:
        lines.append((str(v.source.index), v.source.label, f"{v.source.ra:.6f}", f"{v.source.dec:.6f}", v.survey, v.object_id))
    return "".join(",".join(line) + "\n" for line in lines).encode()


def write(out: Path, seed: int, now: float, n: int = 150, latitude: float = -30.2, neighbours: int = 0) -> int:
    """Write a night into a folder; returns the number of files."""
    count = 0
    with threadpool_limits(1):  # the matrices are too small for threads of a linear-algebra library
        for name, data in simulate(seed, now, n, latitude, neighbours):
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            count += 1
    return count


def truth(out: Path) -> list[dict[str, str]]:
    """Read ``truth.csv`` of a folder."""
    with (out / "truth.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.simulate.night", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--now", type=float, metavar="MJD", help="the end of the night, UTC; the present by default")
    parser.add_argument("--sources", type=int, default=150, metavar="N")
    parser.add_argument("--latitude", type=float, default=-30.2, help="of the site, degrees")
    given = parser.parse_args(arguments)
    now = given.now if given.now is not None else mjd_from_datetime(datetime.now(timezone.utc))
    print(f"{write(given.out, given.seed, now, given.sources, given.latitude)} files in {given.out}")


if __name__ == "__main__":
    main()
