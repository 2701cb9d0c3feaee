"""SIMBAD (CDS, TAP): what is known of an object by name, with its type and redshift."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from broker_adapters.catalogue import Sources
from broker_adapters.catalogues._answers import Columns, asked, circles, required, service, sources, tap, texts

REMOTE = True
RADIUS = 300.0
URL = "https://simbad.cds.unistra.fr/simbad/sim-tap/sync"

_FIELDS = {
    "ra": "ra", "dec": "dec", "pm_ra": "pmra", "pm_dec": "pmdec", "pm_err": "pm_err_maj", "parallax": "plx_value",
    "parallax_err": "plx_err", "redshift": "rvz_redshift", "position_angle": "galdim_angle",
}  # fmt: skip
_COLUMNS = (
    "main_id, ra, dec, pmra, pmdec, pm_err_maj, plx_value, plx_err, otype, rvz_redshift, galdim_majaxis, galdim_minaxis, galdim_angle"
)
#: Types of SIMBAD (its short names) -> kind.
_GALAXIES = frozenset({"G", "GiC", "GiG", "GiP", "BiC", "LSB", "bCG", "SBG", "H2G", "EmG", "rG", "IG", "PaG", "GrG", "ClG"})
_NUCLEI = frozenset({"AGN", "QSO", "Bla", "BLL", "Sy1", "Sy2", "SyG", "LIN", "Q?", "AG?", "Bz?"})
_VARIABLES = frozenset({"V*", "RR*", "CV*", "No*", "Ce*", "cC*", "Mi*", "LP*", "EB*", "dS*", "Er*", "Ro*", "BY*", "RS*", "TT*", "Or*"})
#: Half of the isophotal semi-axis, in arcseconds per arcminute of the diameter.
_HALF = 15.0


def read(columns: Columns) -> Sources:
    """Rows from the columns of the table ``basic``."""
    required(columns, "main_id", "ra", "dec", "otype")
    rows = sources(columns, "simbad", _FIELDS, {}, "main_id")
    axes = sources(columns, "simbad", {"size": "galdim_majaxis", "axis_ratio": "galdim_minaxis"}, {}, "main_id")
    with np.errstate(divide="ignore", invalid="ignore"):
        rows["axis_ratio"] = np.where(axes["size"] > 0.0, np.clip(axes["axis_ratio"] / axes["size"], 0.0, 1.0), np.nan)
    rows["size"], rows["epoch"] = _HALF * axes["size"], 2000.0
    rows["position_angle"] %= 180.0
    rows["redshift_kind"] = np.where(np.isfinite(rows["redshift"]), "mixed", "")
    rows["kind"] = [_kind(one) for one in texts(columns, "otype", len(rows))]
    return rows


def _kind(text: str) -> str:
    if text in _GALAXIES:
        return "galaxy"
    if text in _NUCLEI:
        return "AGN"
    if text in _VARIABLES:
        return "variable"
    return "star" if text.endswith("*") else "unknown"


class Catalogue:
    """SIMBAD.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.
    """

    def __init__(self, *, url: str = URL, timeout: float = 3.0) -> None:
        self._url, self._http = url, service("SIMBAD", timeout, 5, 1.0)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for 50 positions."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: read(tap(self._http, self._url, self._query(circles(a, d, radius)))))

    @staticmethod
    def _query(where: str) -> str:
        return f"SELECT {_COLUMNS} FROM basic WHERE {where}"
