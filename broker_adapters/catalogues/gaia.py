"""Gaia DR3 over the archive of ESA (TAP): stars with their motions, by which a transient on a star is told from one on a galaxy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from broker_adapters.catalogue import Sources
from broker_adapters.catalogues._answers import Columns, asked, circles, required, service, sources, tap, texts

REMOTE = True
RADIUS = 60.0
URL = "https://gea.esac.esa.int/tap-server/tap/sync"

_FIELDS = {
    "ra": "ra", "dec": "dec", "epoch": "ref_epoch", "pm_ra": "pmra", "pm_dec": "pmdec", "parallax": "parallax",
    "parallax_err": "parallax_error"
}  # fmt: skip
_COLUMNS = (
    "designation, ra, dec, ref_epoch, pmra, pmdec, pmra_error, pmdec_error, parallax, parallax_error, phot_g_mean_mag, phot_variable_flag"
)


def read(columns: Columns) -> Sources:
    """Rows from the columns of ``gaiadr3.gaia_source``; which of them are stars `broker_adapters.catalogue.stars` says by their motion."""
    required(columns, "ra", "dec", "designation", "pmra", "parallax")
    rows = sources(columns, "gaia", _FIELDS, {"G": "phot_g_mean_mag"}, "designation")
    errors = sources(columns, "gaia", {"pm_ra": "pmra_error", "pm_dec": "pmdec_error"}, {}, "designation")
    rows["pm_err"] = np.hypot(errors["pm_ra"], errors["pm_dec"])
    rows["kind"] = np.where(np.array(texts(columns, "phot_variable_flag", len(rows))) == "VARIABLE", "variable", "unknown")
    return rows


class Catalogue:
    """The archive.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.
    """

    def __init__(self, *, url: str = URL, timeout: float = 3.0) -> None:
        self._url, self._http = url, service("Gaia archive", timeout, 30, 60.0)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for 50 positions."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: read(tap(self._http, self._url, self._query(circles(a, d, radius)))))

    @staticmethod
    def _query(where: str) -> str:
        return f"SELECT {_COLUMNS} FROM gaiadr3.gaia_source WHERE {where}"
