"""NED, the extragalactic database of NASA and IPAC: galaxies and nuclei with redshifts. Slow at times."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import Sources
from broker_adapters.catalogues._answers import Columns, asked, of_votable, required, service, sources, texts

REMOTE = True
RADIUS = 300.0
URL = "https://ned.ipac.caltech.edu/cgi-bin/objsearch"

#: Types of NED -> kind.
_KINDS = {
    "G": "galaxy",
    "GPair": "galaxy",
    "GTrpl": "galaxy",
    "G_Lens": "galaxy",
    "QSO": "AGN",
    "*": "star",
    "V*": "variable",
    "!V*": "variable",
}
_FIELDS = {"ra": "ra(deg)", "dec": "dec(deg)", "redshift": "redshift"}


def read(columns: Columns) -> Sources:
    """Rows from the columns of the main table; older answers call the columns RA(deg), newer ones RA."""
    columns = {{"ra": "ra(deg)", "dec": "dec(deg)"}.get(name, name): values for name, values in columns.items()}
    required(columns, "object name", "ra(deg)", "dec(deg)", "type")
    rows = sources(columns, "ned", _FIELDS, {}, "object name")
    rows["kind"] = [_KINDS.get(one, "unknown") for one in texts(columns, "type", len(rows))]
    flags = np.array(texts(columns, "redshift flag", len(rows)))
    known = np.isfinite(rows["redshift"])
    rows["redshift_kind"] = np.where(
        known, np.where(np.isin(flags, ("PHOT", "PUN")), "photometry", np.where(flags == "SPEC", "spectrum", "mixed")), ""
    )
    return rows


class Catalogue:
    """NED.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.
    """

    def __init__(self, *, url: str = URL, timeout: float = 3.0) -> None:
        self._url, self._http = url, service("NED", timeout, 1, 1.0)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for each position."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: self._one(a, d, radius), many=1)

    def _one(self, ra: NDArray[np.float64], dec: NDArray[np.float64], radius: float) -> Sources:
        query = {
            "search_type": "Near Position Search", "in_csys": "Equatorial", "in_equinox": "J2000.0", "lon": f"{ra[0]:.6f}d",
            "lat": f"{dec[0]:.6f}d", "radius": f"{radius / 60.0:.5f}", "of": "xml_main",
        }  # fmt: skip
        return read(of_votable(self._http.get(self._url, query).body))
