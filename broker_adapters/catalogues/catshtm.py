"""catsHTM as ALeRCE serves it: the nearest source of each of some thirty catalogues, of which those with shapes or redshifts are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import MAGNITUDES, Sources, blank
from broker_adapters.catalogues._answers import asked, listed, service
from broker_adapters.values import number

REMOTE = True
RADIUS = 60.0
URL = "https://catshtm.alerce.online/crossmatch_all"

#: Catalogue -> kind of its sources, column of ours -> theirs, band -> theirs.
_READ: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "2MASSxsc": (
        "galaxy",
        {"size": "r_K20e", "axis_ratio": "Kb_a", "position_angle": "Kpa"},
        {"J": "J_K20e", "H": "H_K20e", "K": "K_K20e"},
    ),
    "2MASS": ("unknown", {}, {"J": "Mag_J", "H": "Mag_H", "K": "Mag_K"}),
    "GAIADR2": (
        "unknown",
        {"epoch": "Epoch", "pm_ra": "PMRA", "pm_dec": "PMDec", "pm_err": "ErrPMRA", "parallax": "Plx", "parallax_err": "ErrPlx"},
        {"G": "Mag_G"},
    ),
    "NEDz": ("galaxy", {"redshift": "z"}, {}),
    "SDSS/DR10": ("unknown", {}, {"g": "modelMag_g", "r": "modelMag_r", "i": "modelMag_i"}),
    "WISE": ("unknown", {}, {"W1": "Mag_W1", "W2": "Mag_W2"}),
}
#: The radius at K = 20 mag / sq arcsec of the extended sources of 2MASS, in half-light radii.
_K20 = 2.0


def read(document: Any) -> Sources:
    """Rows from an answer: a list of objects with one catalogue each, and in it columns with unit and value."""
    made = [row for one in listed(document, "catsHTM") for name, fields in one.items() if (row := _row(name, fields)) is not None]
    return np.concatenate([blank(0), *made])


def _row(name: str, fields: Any) -> Sources | None:
    if name not in _READ or not isinstance(fields, Mapping):
        return None
    kind, columns, bands = _READ[name]
    values = {key: number(one.get("value")) for key, one in fields.items() if isinstance(one, Mapping)}
    row = blank(1)
    row["catalogue"], row["kind"] = "catshtm", kind
    row["ra"], row["dec"] = values.get("RA", np.nan), values.get("Dec", np.nan)
    row["id"] = f"{name} {float(row['ra'][0]):.5f} {float(row['dec'][0]):+.5f}"
    for ours, theirs in columns.items():
        row[ours] = values.get(theirs, np.nan)
    for band, theirs in bands.items():
        row["magnitudes"][:, MAGNITUDES.index(band)] = values.get(theirs, np.nan)
    if name == "2MASSxsc":
        row["size"] /= _K20
        row["position_angle"] %= 180.0
        row["axis_ratio"] = row["axis_ratio"] if 0.0 < float(row["axis_ratio"][0]) <= 1.0 else np.nan
    if name == "NEDz" and np.isfinite(row["redshift"][0]):
        row["redshift_kind"] = "mixed"
    return row


class Catalogue:
    """catsHTM at ALeRCE.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.
    """

    def __init__(self, *, url: str = URL, timeout: float = 3.0) -> None:
        self._url, self._http = url, service("ALeRCE catsHTM", timeout, 5, 1.0)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for each position, and only the nearest source of each catalogue."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: self._one(a, d, radius), many=1)

    def _one(self, ra: NDArray[np.float64], dec: NDArray[np.float64], radius: float) -> Sources:
        return read(self._http.get(self._url, {"ra": f"{ra[0]:.7f}", "dec": f"{dec[0]:.7f}", "radius": f"{radius:.3f}"}).json())
