"""Speed of a ranking: 10,000 and 100,000 candidates at five sites, and 10,000 read from an SQLite file, ranked and stored.

Every candidate has a light curve of `POINTS` measurements and two classifiers' opinions, and every second one an outlook. ``s_10k`` and
``s_100k`` are seconds of light curves, terms, vetoes and visibility at all sites together, by the profile "SN Ia near peak", which asks for
most; ``store_s_10k`` and ``store_mb_10k`` are seconds, and megabytes of the process at its largest, of `tom_alerce.pipeline.rank.rank`
at one site, in a process of its own. ``ratio_to_toolkit`` is how many times as long the toolkit's own visibility takes for as many targets
and sites (it is timed for `PART` targets).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from typing import Any

import numpy as np

SITES = ("Palomar", "Cerro Tololo", "Siding Spring", "Sutherland", "Roque de los Muchachos")
NOW, POINTS, PART = 61367.083, 40, 3
SIZES = {"10k": 10_000, "100k": 100_000}
#: Rows that are written at a time when the tables are filled.
_AT_ONCE = 1000


def run() -> dict[str, float]:
    """Seconds and megabytes of each size, and the ratio to the toolkit."""
    figures = {f"s_{name}": _terms(size) for name, size in SIZES.items()}
    stored = subprocess.run([sys.executable, "-m", "benchmarks.rank"], capture_output=True, text=True, check=True)
    return figures | json.loads(stored.stdout.splitlines()[-1]) | {"ratio_to_toolkit": _toolkit(SIZES["10k"]) / figures["s_10k"]}


def _terms(size: int) -> float:
    """Seconds for so many candidates at all sites, the best of two turns; compiling comes before."""
    from followup import sites
    from followup.batch import Batch
    from followup.profiles import shipped
    from followup.rank import rank
    from followup.visibility import night

    profile, made = shipped()["snia_near_peak"], candidates(size)
    rank(made[:10], night(sites.SITES[SITES[0]], *_places(made[:10]), NOW), profile.merits, profile.vetoes)
    took = []
    for _ in range(2):
        start = time.perf_counter()
        batch = Batch(made)
        for name in SITES:
            ranking = rank(batch, night(sites.SITES[name], batch.ra, batch.dec, NOW), profile.merits, profile.vetoes)
            ranking.vetoes["waiting"].reasons[0]
        took.append(time.perf_counter() - start)
    return min(took)


def candidates(size: int) -> list[Any]:
    """Candidates all over the sky; neighbours share arrays, which nothing depends on."""
    from followup.records import Candidate

    random = np.random.default_rng(1)
    curves, outlooks = [_curve(i, random) for i in range(200)], _outlooks(200, random)
    ra, dec = random.uniform(0, 360, size), np.degrees(np.arcsin(random.uniform(-1, 1, size)))
    opinions = [
        {"stamp": {"SN": p, "AGN": 1 - p}, "lightcurve": {"SNIa": p / 2, "SNII": p / 2, "QSO": 1 - p}} for p in np.linspace(0, 1, 50)
    ]
    return [
        Candidate(str(i), f"source {i}", ra[i], dec[i], curves[i % 200], opinions[i % 50], outlook=outlooks[i % 200] if i % 2 else None)
        for i in range(size)
    ]


def _places(made: list[Any]) -> tuple[Any, Any]:
    return np.array([c.ra for c in made]), np.array([c.dec for c in made])


def _curve(i: int, random: np.random.Generator) -> Any:
    from broker_adapters.photometry import flux_from_magnitude
    from broker_adapters.records import Kind, blank, frozen

    rows = blank(POINTS)
    rows["survey"], rows["band"] = "ztf", np.where(np.arange(POINTS) % 2, "r", "g")
    rows["kind"] = np.where(np.arange(POINTS) % 4 == 3, Kind.FORCED, Kind.ALERT)
    rows["source_id"] = np.char.add(f"{i}-", np.arange(POINTS).astype(str))
    rows["mjd"] = NOW - np.sort(random.uniform(0, 30, POINTS))[::-1]
    rows["flux"] = flux_from_magnitude(random.normal(18.5, 0.2, POINTS))
    rows["flux_err"], rows["ref_flux"] = 0.05 * rows["flux"], 2e4
    return frozen(rows)


def _outlooks(n: int, random: np.random.Generator) -> Any:
    from scipy.stats import norm

    from classifiers.posterior.records import DAYS, Outlooks

    peak = random.uniform(-20, 20, n)
    cdf = np.repeat(norm.cdf((DAYS - peak[:, None]) / 2.0)[:, None], 4, axis=1)
    spread = np.array([-0.2, 0.0, 0.2])
    magnitude = np.broadcast_to((random.uniform(17, 20, n)[:, None] + spread)[:, None, :, None], (n, 2, 3, 31))
    explosion = peak[:, None] + np.array([-20.0, -18.0, -16.0])
    return Outlooks(
        np.full(n, NOW), cdf, np.full((n, 4), 0.25), magnitude, magnitude[..., 0], explosion, np.full(n, 0.2), np.zeros(n, bool)
    )


def _toolkit(size: int) -> float:
    """Seconds that the toolkit's visibility would take for so many targets at as many sites."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
    import django

    django.setup()
    from astropy.utils import iers
    from tom_observations.utils import get_sidereal_visibility
    from tom_targets.models import Target

    evening = datetime(2023, 11, 23, 2, tzinfo=timezone.utc)  # no table of the Earth's orientation is downloaded for it
    start = time.perf_counter()
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        for i in range(PART):
            target = Target(name=str(i), type="SIDEREAL", ra=40.0 * i, dec=-20.0)
            get_sidereal_visibility(target, evening, evening.replace(hour=9), 6, 2.0)
    everywhere = _sites_of_toolkit()
    return (time.perf_counter() - start) / PART / everywhere * size * len(SITES)


def _sites_of_toolkit() -> int:
    """Number of sites that the toolkit's visibility goes through."""
    from tom_observations.facility import get_service_class, get_service_classes

    return sum(len(get_service_class(name)().get_observing_sites()) for name in get_service_classes())


def _stored() -> dict[str, float]:
    """Seconds and megabytes of a ranking of stored objects, in a new file."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.pop("TOM_ALERCE_POSTGRESQL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection, connections

        call_command("migrate", verbosity=0)
        _fill(SIZES["10k"])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        from tom_alerce.pipeline import rank

        rank.compute(at=NOW - 500.0)  # nothing was seen then; compiling comes before
        before = _megabytes()
        start = time.perf_counter()
        ranked = rank.rank(at=NOW)
        took = time.perf_counter() - start
        if len(ranked.candidates) != SIZES["10k"]:
            raise RuntimeError(f"{len(ranked.candidates)} ranked")
        connections.close_all()
    return {"store_s_10k": took, "store_mb_10k": _megabytes(), "store_mb_before": before}


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _fill(size: int) -> None:
    """Objects with a light curve, and the opinions of two classifiers."""
    from tom_alerce.models import Classification, Detection, SkyObject, SurveyObject
    from tom_alerce.store.sql import insert_ignore

    random = np.random.default_rng(1)
    curves = [_curve(i, random) for i in range(200)]
    names = [name for name in curves[0].dtype.names if name != "source_id"]
    columns = [list(zip(*(_values(curve[name]) for name in names), strict=True)) for curve in curves]
    for low in range(0, size, _AT_ONCE):
        ra, dec = random.uniform(0, 360, _AT_ONCE), np.degrees(np.arcsin(random.uniform(-1, 1, _AT_ONCE)))
        own = [{"ra": ra[i], "dec": dec[i], "position_err": 0.1, "healpix": 0} for i in range(_AT_ONCE)]
        seen = {"first_mjd": NOW - 30.0, "last_mjd": NOW - 0.1, "n_detections": POINTS}
        skies = SkyObject.objects.bulk_create(SkyObject(**place, **seen, evidence=f"{low + i:064d}") for i, place in enumerate(own))
        members = SurveyObject.objects.bulk_create(
            SurveyObject(**place, **seen, survey="ztf", object_id=f"ZTF26{low + i:07d}", sky_object=sky)
            for i, (place, sky) in enumerate(zip(own, skies, strict=True))
        )
        rows = [(m.pk, f"{m.pk}-{k}", *values) for m in members for k, values in enumerate(columns[m.pk % 200])]
        insert_ignore(Detection, ("survey_object", "source_id", *names), rows)
        Classification.objects.bulk_create(
            Classification(
                sky_object=sky, origin="local", classifier=name, version="1", evidence=sky.evidence, label=next(iter(p)),
                probability=0.5, probabilities=p, n_detections=POINTS,
            )
            for sky in skies
            for name, p in (("stamp", {"SN": 0.7, "AGN": 0.3}), ("lightcurve", {"SNIa": 0.5, "SNII": 0.2, "QSO": 0.3}))
        )  # fmt: skip


def _values(column: Any) -> list[Any]:
    return [None if value != value else value for value in column.tolist()]


if __name__ == "__main__":
    print(json.dumps(_stored()))
