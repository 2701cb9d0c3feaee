"""The cross-match service of CDS: one question for thousands of positions, against one of several large catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from urllib3.filepost import encode_multipart_formdata

from broker_adapters.catalogue import Sources, magnitude
from broker_adapters.catalogues._answers import Columns, asked, of_csv, required, service, sources, texts
from broker_adapters.errors import SourceError

REMOTE = True
RADIUS = 180.0
URL = "http://cdsxmatch.u-strasbg.fr/xmatch/api/v1/sync"

_MANY = 5000
_BOUNDARY = "tom-alerce-xmatch"


@dataclass(frozen=True, slots=True)
class Table:
    """A catalogue at CDS, its columns of ours and bands, the column of its id, the kind of its sources and how redshifts were got."""

    address: str
    fields: Mapping[str, str]
    bands: Mapping[str, str]
    name: str
    kind: str = "unknown"
    redshifts: str = ""


#: Name -> catalogue.
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        "gaia": Table(
            "vizier:I/355/gaiadr3",
            {
                "ra": "ra", "dec": "dec", "epoch": "ref_epoch", "pm_ra": "pmra", "pm_dec": "pmdec", "pm_err": "pmra_error",
                "parallax": "parallax", "parallax_err": "parallax_error",
            },
            {"G": "phot_g_mean_mag"},
            "source_id",
        ),
        "ps1": Table(
            "vizier:II/349/ps1", {"ra": "RAJ2000", "dec": "DEJ2000"}, {b: f"{b}Kmag" for b in "grizy"}, "objID"
        ),
        "allwise": Table("vizier:II/328/allwise", {"ra": "RAJ2000", "dec": "DEJ2000"}, {"W1": "W1mag", "W2": "W2mag"}, "AllWISE"),
        "2mass": Table("vizier:II/246/out", {"ra": "RAJ2000", "dec": "DEJ2000"}, {"J": "Jmag", "H": "Hmag", "K": "Kmag"}, "2MASS"),
        "milliquas": Table("vizier:VII/294/catalog", {"ra": "RAJ2000", "dec": "DEJ2000", "redshift": "z"}, {}, "Name", "AGN", "mixed"),
        "glade": Table(
            "vizier:VII/291/gladep", {"ra": "RAJ2000", "dec": "DEJ2000", "redshift": "zhelio", "distance": "dL"}, {"B": "Bmag"}, "GLADE+",
            "galaxy", "mixed",
        ),
    }
)  # fmt: skip
#: W1 - W2 from which on a source of AllWISE is an active nucleus (Stern et al. 2012, ApJ 753, 30), where W2 is brighter than 15.05.
_RED, _BRIGHT = 0.8, 15.05


def read(columns: Columns, table: str) -> Sources:
    """Rows from the columns of an answer about one of `TABLES`."""
    known = TABLES[table]
    required(columns, known.fields["ra"], known.fields["dec"], known.name)
    fields = dict(known.fields)
    rows = sources(columns, f"xmatch {table}"[:16], fields, known.bands, known.name)
    rows["id"] = [f"{table} {one}" if one else "" for one in texts(columns, known.name, len(rows))]
    rows["kind"] = known.kind
    rows["redshift_kind"] = np.where(np.isfinite(rows["redshift"]), known.redshifts, "")
    if table == "allwise":
        red, bright = magnitude(rows, "W1") - magnitude(rows, "W2") >= _RED, magnitude(rows, "W2") < _BRIGHT
        rows["kind"] = np.where(red & bright, "AGN", "unknown")
    return rows


class Catalogue:
    """The service, for one table.

    Parameters
    ----------
    table : str
        One of `TABLES`.
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.

    Raises
    ------
    SourceError
        There is no such table.
    """

    def __init__(self, *, table: str = "gaia", url: str = URL, timeout: float = 10.0) -> None:
        if table not in TABLES:
            raise SourceError(f"no table {table!r} of xmatch; it has: {', '.join(TABLES)}")
        self._table, self._url = table, url
        content = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        self._http = service("CDS XMatch", timeout, 5, 1.0, headers=content)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for 5,000 positions."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: self._all(a, d, radius), many=_MANY)

    def _all(self, ra: NDArray[np.float64], dec: NDArray[np.float64], radius: float) -> Sources:
        lines = ["our_id,our_ra,our_dec", *(f"{k},{a:.7f},{d:.7f}" for k, (a, d) in enumerate(zip(ra, dec, strict=True)))]
        form: dict[str, str | bytes | tuple[str, str | bytes] | tuple[str, str | bytes, str]] = {
            "request": "xmatch", "distMaxArcsec": f"{radius:.3f}", "RESPONSEFORMAT": "csv", "selection": "all", "colRA1": "our_ra",
            "colDec1": "our_dec", "cat1": ("positions.csv", "\n".join(lines), "text/csv"), "cat2": TABLES[self._table].address,
        }  # fmt: skip
        body, _ = encode_multipart_formdata(form, boundary=_BOUNDARY)
        return read(of_csv(self._http.post(self._url, body, repeatable=True).text()), self._table)
