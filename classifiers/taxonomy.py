"""Our classes, and every broker's labels in terms of them: one table.

The stamp classes are those of Carrasco-Davis et al. 2021 (AJ 162, 231), the light-curve hierarchy that of Sanchez-Saez et al. 2021
(AJ 161, 141).
"""

from __future__ import annotations

from types import MappingProxyType

#: Classes of the stamp classifier, in the order of its output.
STAMP = ("AGN", "SN", "VS", "asteroid", "bogus")

#: Branch of the light-curve hierarchy -> its classes, in the order of the output.
LIGHTCURVE = MappingProxyType(
    {
        "Transient": ("SNIa", "SNIbc", "SNII", "SLSN"),
        "Stochastic": ("QSO", "AGN", "Blazar", "CV/Nova", "YSO"),
        "Periodic": ("LPV", "E", "DSCT", "RRL", "CEP", "Periodic-Other"),
    }
)

#: The 15 light-curve classes, flat.
LIGHTCURVE_CLASSES = tuple(c for classes in LIGHTCURVE.values() for c in classes)

#: Light-curve class -> branch.
BRANCH = MappingProxyType({c: branch for branch, classes in LIGHTCURVE.items() for c in classes})

#: Lower-case label of a broker, a catalogue or a spectrum -> one of our classes (stamp or light curve).
SYNONYMS = MappingProxyType(
    {c.lower(): c for c in (*STAMP, *LIGHTCURVE_CLASSES)}
    | {
        # ALeRCE, newer hierarchy
        "sniib": "SNII", "sniin": "SNII", "ea": "E", "eb/ew": "E", "rrlab": "RRL", "rrlc": "RRL", "rscvn": "Periodic-Other",
        "ceph": "CEP", "periodic": "Periodic-Other", "cv": "CV/Nova", "nova": "CV/Nova",
        # Lasair (Sherlock)
        "nt": "AGN", "bs": "VS", "vs": "VS",
        # TNS spectral types
        "sn ia": "SNIa", "sn ib": "SNIbc", "sn ic": "SNIbc", "sn ib/c": "SNIbc", "sn ic-bl": "SNIbc", "sn ibn": "SNIbc", "sn icn": "SNIbc",
        "sn ii": "SNII", "sn iip": "SNII", "sn iil": "SNII", "sn iib": "SNII", "sn iin": "SNII", "slsn-i": "SLSN", "slsn-ii": "SLSN",
        "galaxy": "AGN", "varstar": "VS",
    }
)  # fmt: skip


def ours(label: str) -> str | None:
    """Our class of somebody else's label, None when we have none for it (a subtype such as 'SN Ia-91T-like' goes by its stem)."""
    text = label.strip().lower()
    if text in SYNONYMS:
        return SYNONYMS[text]
    stem, dash, _ = text.partition("-")
    return SYNONYMS.get(stem) if dash else None
