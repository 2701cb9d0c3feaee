"""Speed of storing alerts in an SQLite file, in detections per second, against the toolkit's ALeRCE service with the same light curves.

Both write to a new file in a temporary folder, in turn in the same run; the best of three runs counts. The toolkit, which writes row by
row, gets a twentieth of the objects.
"""

from __future__ import annotations

import os
import tempfile
import time
from types import MappingProxyType
from typing import Any

import numpy as np

OBJECTS, POINTS, TURNS = 1000, 50, 3
TOOLKIT_OBJECTS = OBJECTS // 20


def run() -> dict[str, float]:
    """``detections_per_s`` (new objects), ``again_per_s`` (the same input a second time), ``builtin_per_s`` and ``ratio_to_builtin``."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.pop("TOM_ALERCE_POSTGRESQL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        turns = [
            (_rate(_ours, batch), _rate(_ours, batch), _rate(_builtin, batch[:TOOLKIT_OBJECTS])) for batch in map(_alerts, range(TURNS))
        ]
        _check()
        connections.close_all()
    new, again, builtin = map(max, zip(*turns, strict=True))
    return {"detections_per_s": new, "again_per_s": again, "builtin_per_s": builtin, "ratio_to_builtin": new / builtin}


def _rate(write: Any, batch: list[Any]) -> float:
    start = time.perf_counter()
    write(batch)
    return sum(len(a.detections) for a in batch) / (time.perf_counter() - start)


def _ours(batch: list[Any]) -> None:
    from tom_alerce import conf
    from tom_alerce.store import alerts
    from tom_alerce.store.sql import chunks

    for part in chunks(batch, conf.get("BATCH")):
        alerts.save(part)


def _builtin(batch: list[Any]) -> None:
    """The light curves as ALeRCE's API gives them, stored as ``tom_dataservices`` stores them."""
    from tom_dataservices.data_services.alerce import AlerceDataService
    from tom_targets.models import Target

    service = AlerceDataService()
    for alert in batch:
        target = Target.objects.create(name=f"{alert.object_id} (toolkit)", type="SIDEREAL", ra=alert.ra, dec=alert.dec)
        rows = alert.detections
        magnitude, error = 31.4 - 2.5 * np.log10(rows["flux"]), 1.0857 * rows["flux_err"] / rows["flux"]
        points = zip(rows["mjd"].tolist(), magnitude.tolist(), error.tolist(), rows["band"].tolist(), strict=True)
        detections = [{"mjd": t, "magpsf": m, "sigmapsf": e, "fid": {"g": 1, "r": 2}[b]} for t, m, e, b in points]
        service.create_reduced_datums_from_query(target, {"detections": detections})


def _check() -> None:
    from tom_dataproducts.models import PhotometryReducedDatum

    from tom_alerce.models import Detection

    stored = Detection.objects.count(), PhotometryReducedDatum.objects.count()
    if stored != (TURNS * OBJECTS * POINTS, TURNS * TOOLKIT_OBJECTS * POINTS):
        raise RuntimeError(f"stored {stored} rows")


def _alerts(seed: int) -> list[Any]:
    """New objects all over the sky, each with a light curve and stamps of the size of ZTF's."""
    from broker_adapters.records import Alert, Cutouts, Kind, blank, frozen

    random = np.random.default_rng(seed)
    made = []
    for i in range(OBJECTS):
        ra, dec = random.uniform(0, 360), np.degrees(np.arcsin(random.uniform(-1, 1)))
        rows = blank(POINTS)
        rows["survey"], rows["kind"], rows["band"] = "ztf", Kind.ALERT, np.where(np.arange(POINTS) % 2, "r", "g")
        rows["source_id"] = np.char.add(f"{(seed + 1) * 10_000 + i}", np.char.zfill(random.permutation(POINTS).astype(str), 14))
        rows["mjd"] = 61000 + np.sort(random.uniform(0, 100, POINTS))
        rows["flux"], rows["flux_err"] = random.uniform(5e3, 5e4, POINTS), random.uniform(5e2, 1e3, POINTS)
        rows["ra"], rows["dec"], rows["position_err"] = ra, dec, 0.08
        rows["ref_flux"], rows["ref_flux_err"], rows["reliability"] = 2e4, 1e3, 0.9
        made.append(
            Alert(
                survey="ztf",
                object_id=f"ZTF2{seed}{i:07d}",
                source_id=str(rows["source_id"][-1]),
                ra=ra,
                dec=dec,
                position_err=0.08,
                mjd=float(rows["mjd"][-1]),
                detections=frozen(rows),
                cutouts=Cutouts(*(random.bytes(12_000) for _ in range(3))),
                metadata=MappingProxyType({"rb": 0.9, "drb": 0.99, "fwhm": 2.1}),
                broker="ztf",
            )
        )
    return made
