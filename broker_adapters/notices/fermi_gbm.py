"""Gamma rays: Fermi's burst monitor, JSON of GCN's unified schema.

Places that ground software makes leave out the systematic error: of long and of short bursts a mixture of two normal distributions
(Goldstein et al. 2020, ApJ 895, 40), as the team puts it into its maps. What the satellite finds by itself includes it.
"""

from __future__ import annotations

from broker_adapters.notice import Messenger, Notice
from broker_adapters.notices import _unified

#: Class of duration -> shares and standard deviations per axis (degrees).
SYSTEMATIC = {"LONG": ((0.579, 1.86), (0.421, 4.14)), "SHORT": ((0.39, 2.55), (0.61, 4.43))}


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of the burst monitor."""
    return "/notices/fermi/gbm/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a trigger; the first one of each has no place and is refused."""
    body = _unified.parsed(data)
    long_or_short = SYSTEMATIC.get(str(body.get("duration_class", "")).upper(), SYSTEMATIC["LONG"])
    place = None if _unified.is_retraction(body) else _unified.place({"containment_probability": 0.68, **body}, long_or_short)
    said = _unified.facts(
        body, instrument="instrument", signal_to_noise="rate_snr", duration="duration_class", map="healpix_url", page="data_archive_page"
    )
    return _unified.notice(body, f"Fermi GBM {_unified.name(body.get('id'))}", Messenger.GAMMA, place, said)
