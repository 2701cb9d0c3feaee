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


#: What each class of the stamp classifier comprises of the light-curve classes.
_COMPRISES = MappingProxyType(
    {
        "SN": frozenset(LIGHTCURVE["Transient"]),
        "AGN": frozenset({"AGN", "QSO", "Blazar"}),
        "VS": frozenset({"CV/Nova", "YSO", *LIGHTCURVE["Periodic"]}),
    }
    | {branch: frozenset(classes) for branch, classes in LIGHTCURVE.items()}
)
#: Words that name no class: of a spectrum of the host alone, of a match with nothing.
_NO_CLASS = frozenset({"", "galaxy", "orphan", "unclear", "unknown", "other", "none"})


def comprises(label: str) -> frozenset[str]:
    """The finest classes that anybody's label stands for; one that is none of ours stands for itself, and one that says nothing for none.

    'SN' stands for the four kinds of supernovae, 'AGN' for AGN, QSO and blazars, 'VS' for cataclysmic, young and periodic stars.
    """
    text = label.strip()
    if text.lower() in _NO_CLASS:
        return frozenset()
    own = ours(text) or text
    return _COMPRISES.get(own, frozenset({own}))


def right(label: str, truth: str) -> bool | None:
    """Whether a label is right, where the truth is known: 'SN' is right for 'SN Ia'; None where the truth says less, as 'SN' of 'SNIa'."""
    said, true = comprises(label), comprises(truth)
    if not said or not true:
        return None
    if true <= said:
        return True
    return None if said & true else False


def ours(label: str) -> str | None:
    """Our class of somebody else's label, None when we have none for it (a subtype such as 'SN Ia-91T-like' goes by its stem)."""
    text = label.strip().lower()
    if text in SYNONYMS:
        return SYNONYMS[text]
    stem, dash, _ = text.partition("-")
    return SYNONYMS.get(stem) if dash else None
