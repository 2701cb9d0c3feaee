"""What is at a place: look-ups, hosts, and whether a host's redshift is the transient's, over the Bright Transient Survey.

The transients are those of ``../shared/data/context_samples/bts_hosts``. Half of them, by the lowest bit of the first byte of SHA-256 of
the name, made the numbers of `classifiers.hosts`; figures are of the other half, without novae. A host is right if its redshift is claimed
and within `RIGHT` of the transient's. All of GLADE+ is made once, in the folder of ``ALERCE_CATALOGUES`` or of the user's cache; without it
or without the transients, the figures that need it are left out.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tempfile
from pathlib import Path
from time import perf_counter
from timeit import repeat
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle
from numpy.typing import NDArray

from broker_adapters.catalogues import galaxies
from broker_adapters.catalogues._wheels import fetch
from broker_adapters.errors import AdapterError
from classifiers import hosts

TRANSIENTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "context_samples" / "bts_hosts" / "bts.csv"
PLACES = 100_000
NAMED, LOOKED_UP = 160_000, 500
RIGHT = 0.005


def run() -> dict[str, float]:
    """Microseconds for each look-up and host; then fractions of the transients below z = .02 and .05, and purities."""
    figures = _speed() | _tns()
    if TRANSIENTS.is_file():
        figures |= {f"packaged_{name}": value for name, value in _rights("").items()}
        try:
            figures |= _rights(str(_whole()))
        except AdapterError as error:
            print(f"all of GLADE+ is not at hand: {error}")
    return figures


def _whole() -> Path:
    folder = Path(os.environ.get("ALERCE_CATALOGUES") or Path.home() / ".cache" / "tom_alerce")
    path = folder / "galaxies.npz"
    return path if path.is_file() else fetch("galaxies", folder)


def _speed() -> dict[str, float]:
    random = np.random.default_rng(1)
    ra, dec = random.uniform(0.0, 360.0, PLACES), np.degrees(np.arcsin(random.uniform(-0.5, 1.0, PLACES)))
    catalogue = galaxies.Catalogue()
    rows = catalogue.cone(ra, dec, hosts.RADIUS)
    found = np.unique(rows["query"])[:1000]
    few = catalogue.cone(ra[found], dec[found], hosts.RADIUS)
    lookup = min(repeat(lambda: catalogue.cone(ra, dec, hosts.RADIUS), number=1, repeat=3))
    host = min(repeat(lambda: hosts.associate(few, ra[found], dec[found]), number=1, repeat=5))
    alone = few[few["query"] == 0]
    single = min(repeat(lambda: hosts.associate(alone, ra[found[:1]], dec[found[:1]]), number=10, repeat=5)) / 10
    return {
        "places": PLACES,
        "xmatch_us": lookup * 1e6 / PLACES,
        "xmatch_s": lookup,
        "host_us": host * 1e6 / len(found),
        "host_alone_us": single * 1e6,
    }


def transients() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Places (degrees) and redshifts of the transients that are no novae, and which of them are in the half that figures are quoted of."""
    with TRANSIENTS.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["redshift"] and row["type"] != "nova"]
    ra, dec = (Angle([row[name] for row in rows], unit=unit).deg for name, unit in (("RA", u.hourangle), ("Dec", u.deg)))
    quoted = [bool(hashlib.sha256(row["ZTFID"].encode()).digest()[0] & 1) for row in rows]
    return ra, dec, np.array([float(row["redshift"]) for row in rows]), np.array(quoted)


def _tns() -> dict[str, float]:
    """Seconds to load `NAMED` rows of a table of TNS into an empty SQLite database, and to look `LOOKED_UP` places up in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.pop("TOM_ALERCE_POSTGRESQL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from broker_adapters import tns_table
        from tom_alerce.store import tns

        call_command("migrate", verbosity=0)
        random = np.random.default_rng(2)
        archive, ra, dec = _table(random)
        begun = perf_counter()
        tns.load(tns_table.read(archive), whole=True)
        loaded = perf_counter()
        tns.load(tns_table.read(archive), whole=True)
        again = perf_counter() - loaded
        few = random.integers(0, NAMED, LOOKED_UP)
        looking = min(repeat(lambda: tns.near(ra[few] + 1e-4, dec[few]), number=1, repeat=5))
        connections.close_all()
    return {
        "tns_load_s": loaded - begun,
        "tns_again_s": again,
        "tns_lookup_us": looking * 1e6 / LOOKED_UP,
        "tns_lookup_500_ms": looking * 1e3,
    }


def _table(random: np.random.Generator) -> tuple[bytes, NDArray[np.float64], NDArray[np.float64]]:
    """An archive as TNS gives it, of objects anywhere, half of them classified, with two names of surveys each."""
    ra, dec = random.uniform(0.0, 360.0, NAMED), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, NAMED)))
    header = "objid,name_prefix,name,ra,declination,redshift,type,reporting_group,discoverydate,discoverymag,filter,internal_names"
    lines = [
        f"{k},{'SN' if k % 2 else 'AT'},20{k % 27:02d}{_letters(k // 27)},{ra[k]:.6f},{dec[k]:.6f},{'0.05' if k % 2 else ''},"
        f'{"SN Ia" if k % 2 else ""},ZTF,2026-01-11 05:03:21,18.5,g,"ZTF{k:09d}, ATLAS{k:09d}"'
        for k in range(NAMED)
    ]
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as opened:
        opened.writestr("tns_public_objects.csv", "\n".join(["2026-11-26 - 2026-11-27", header, *lines]))
    return file.getvalue(), ra, dec


def _letters(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0))


def _rights(path: str) -> dict[str, float]:
    ra, dec, z, quoted = transients()
    made = hosts.associate(galaxies.Catalogue(path=path).cone(ra, dec, hosts.RADIUS), ra, dec)
    right = made.claimed & (np.abs(made.redshift - z) <= RIGHT)
    figures: dict[str, float] = {}
    for name, limit in (("z002", 0.02), ("z005", 0.05)):
        those = quoted & (z < limit)
        figures[f"bts_{name}"] = float(those.sum())
        figures[f"bts_right_{name}"] = float(right[those].mean())
        figures[f"bts_purity_{name}"] = float(right[those & made.claimed].mean())
        figures[f"bts_both_halves_purity_{name}"] = float(right[(z < limit) & made.claimed].mean())
        # what an observer sees: of the redshifts claimed below the limit, whatever the transient's is
        figures[f"bts_claims_{name}"] = float(right[quoted & made.claimed & (made.redshift < limit)].mean())
    figures["bts_purity"] = figures["bts_purity_z005"]
    return figures
