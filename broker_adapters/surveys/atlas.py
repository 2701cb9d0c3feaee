"""ATLAS: the Avro packets that ALeRCE is fed with (schema 0.1), and forced photometry of the public server.

Identity of a measurement, the same through every broker: an alert is its ``candid`` (exposure and number in it); a row of forced
photometry is its exposure ``Obs`` and the position that was asked for (`forced_id`).

Traps: ``Mag`` of a negative detection is *negative* (minus the magnitude of the absolute flux), and is the only sign to be trusted:
``isdiffpos`` of real packets is the opposite of what their difference images show, or always ``f``; ``Dflux`` lacks the factor 1.0857 and
has the sign of the flux, so that it is computed here; ``rb`` is always 0. An alert's ``mjd`` is at mid-exposure, the forced-photometry
server's at the *start* of the 30 s exposure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import avro, photometry, times
from broker_adapters.records import Alert, Band, Cutouts, Detections, Kind, Survey, frozen
from broker_adapters.values import (
    check,
    dated,
    floats,
    identifier,
    identifiers,
    known_bands,
    magnitudes,
    record,
    require,
    scalars,
    stamp,
    start,
    with_flux,
)  # fmt: skip

#: Effective wavelengths from Tonry et al. 2018 (PASP 130 064505); those of the rare tomato (t) and, at Teide, wide (w) are not known to us.
SURVEY = Survey(
    name="atlas",
    bands=(
        Band("o", 679.0, colour="#e69f00", red="#ff5a4d"),
        Band("c", 533.0, colour="#56b4e9", red="#ffb3ab"),
        Band("t"),
        Band("H", 656.3, line=True),  # H alpha
        Band("w"),
    ),
    radius=3.0,
    coarse=True,  # pixels of 1.86 arcsec
    object_id=r"\d{15,20}",
    bare=False,  # one of Rubin's objects may have the same number
    stamps=("science", "difference"),
    precedence=2,
    symbol="square",
)
BANDS = {band.name: band.name for band in SURVEY.bands}
EXPOSURE = 30.0  #: s
PIXEL = 1.86  #: arcsec
#: Astrometric floor per axis, arcsec (the frame is good to 0.04 to 0.08), the usual FWHM of a star over 2.355, and the signal to noise of
#: the faintest alert, which is assumed where a packet does not say it.
POSITION_FLOOR, STAR_SIGMA, LEAST_SNR = 0.08, 1.7, 5.0
_CANDIDATE = frozenset({"RA", "Dec", "Mag", "Dmag", "mjd"})


def forced_id(exposure: str, ra: float, dec: float) -> str:
    """Source id of a row of forced photometry: exposure and position, in degrees, to a third of an arcsecond."""
    return f"{identifier(exposure)}@{ra % 360.0:.4f}{dec:+.4f}"


def detections(
    *,
    candid: Sequence[Any],
    mjd: ArrayLike,
    band: Sequence[str],
    magnitude: ArrayLike,
    magnitude_err: ArrayLike,
    ra: ArrayLike,
    dec: ArrayLike,
    width: ArrayLike = np.nan,
) -> Detections:
    """Rows of `DETECTION`, shape (n,), from columns of alert photometry, each of shape (n,).

    ``mjd`` is UTC at mid-exposure, ``magnitude`` that of the absolute difference with the sign of the difference,
    ``width`` the FWHM of the source in pixels.
    """
    rows = _rows(Kind.ALERT, band, floats(mjd))
    rows["source_id"] = identifiers(candid)
    error = floats(magnitude_err)
    error = np.where(error > 0.0, error, np.nan)
    signed = floats(magnitude)
    rows["flux"] = photometry.flux_from_magnitude(magnitudes(np.abs(signed)), np.sign(signed))
    rows["flux_err"] = photometry.flux_error(rows["flux"], error)
    rows["ra"], rows["dec"] = floats(ra), floats(dec)
    sigma = floats(width) * PIXEL / 2.355
    noise = np.where(np.isfinite(error), error / photometry.POGSON, 1.0 / LEAST_SNR)
    rows["position_err"] = np.hypot(POSITION_FLOOR, np.where(sigma > 0.0, sigma, STAR_SIGMA) * noise)
    return rows


def forced(
    *, exposure_id: Sequence[str], mjd: ArrayLike, band: Sequence[str], flux: ArrayLike, flux_err: ArrayLike, ra: ArrayLike, dec: ArrayLike
) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of forced photometry, each of shape (n,); rows without a flux are left out.

    ``mjd`` is UTC at the *start* of the exposure, ``flux`` and its error the difference flux in microjansky, ``ra`` and ``dec`` the
    position that was asked for, which is where light was measured and not where it came from: the rows have no position.
    """
    rows = _rows(Kind.FORCED, band, times.mid_exposure(floats(mjd), EXPOSURE))
    asked = zip(np.broadcast_to(ra, len(rows)).tolist(), np.broadcast_to(dec, len(rows)).tolist(), strict=True)
    names = zip(identifiers(exposure_id).tolist(), asked, dated(rows).tolist(), strict=True)
    rows["source_id"] = [forced_id(name, *place) if name and known and np.isfinite(place).all() else "" for name, place, known in names]
    rows["flux"], rows["flux_err"] = floats(flux) * photometry.NJY_PER_UJY, floats(flux_err) * photometry.NJY_PER_UJY
    return with_flux(rows)


def _rows(kind: Kind, band: Sequence[str], mjd: NDArray[np.float64]) -> Detections:
    return start(SURVEY, kind, known_bands(band, BANDS), mjd)


def recognises(packet: bytes) -> bool:
    """Whether these bytes are an Avro container whose records are ATLAS alerts, by their fields."""
    return avro.fields(packet).get("candidate", frozenset()) >= _CANDIDATE


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet (which never has a history).

    Raises
    ------
    PacketError
        The bytes cannot be decoded, or their content is impossible.
    """
    content = avro.read(packet)
    candidate = record(content.get("candidate"), "candidate")
    source_id = identifier(content.get("candid") or candidate.get("candid"))
    # the exposure's name ends with its filter, which older packets have nowhere else
    band = candidate.get("filter") or source_id.partition("_")[0][-1:]
    row = detections(
        candid=[source_id],
        mjd=floats([candidate.get("mjd")]),
        band=[band],
        magnitude=floats([candidate.get("Mag")]),
        magnitude_err=floats([candidate.get("Dmag")]),
        ra=floats([candidate.get("RA")]),
        dec=floats([candidate.get("Dec")]),
        width=floats([candidate.get("Major")]),
    )
    require(row, {"mjd": candidate.get("mjd"), "band": band, "flux": candidate.get("Mag"), "ra": candidate.get("RA")})
    ra, dec, mjd, error = (float(row[name][0]) for name in ("ra", "dec", "mjd", "position_err"))
    check(ra, dec)
    return Alert(
        survey="atlas",
        object_id=identifier(content.get("objectId")),
        source_id=source_id,
        ra=ra,
        dec=dec,
        position_err=error,
        mjd=mjd,
        detections=frozen(row),
        cutouts=Cutouts(*(stamp(content.get(f"cutout{name}")) for name in ("Science", "Template", "Difference"))),
        metadata=scalars(candidate),
        broker="atlas",
    )
