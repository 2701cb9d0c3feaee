"""VOEvents of GCN Classic, which Fermi, Swift, IceCube and SVOM still send: https://gcn.nasa.gov/docs/notices, IVOA VOEvent 2.0.

A burst is the same event here and in the JSON of its observatory. What the error of a notice contains depends on its type, which its
identifier (IVORN) names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import nan
from types import MappingProxyType
from typing import NamedTuple
from xml.etree import ElementTree

from broker_adapters import values
from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Notice, Role
from broker_adapters.notices import _unified

#: Seconds of a year, for false alarms per year.
_YEAR = 3.15576e7
_MAX_BYTES = 1 << 20
#: Systematic error of what ground software alone makes of a trigger (Connaughton et al. 2015, ApJS 216, 32), and of what follows it
#: (Goldstein et al. 2020, ApJ 895, 40): shares and standard deviations per axis (degrees).
_AUTOMATED, _ROBOTIC = ((0.804, 3.72), (0.196, 13.7)), ((0.579, 1.86), (0.421, 4.14))


class _Kind(NamedTuple):
    """A type of notice: part of its identifier, event, parameters that name that, messenger, containment, systematic error left out."""

    part: str
    observatory: str
    names: tuple[str, ...]
    messenger: Messenger
    containment: float
    systematic: tuple[tuple[float, float], ...] = ()


_KINDS = (
    _Kind("/Fermi#GBM_Flt_Pos", "Fermi GBM", ("TrigID",), Messenger.GAMMA, 0.68),
    _Kind("/Fermi#GBM_Gnd_Pos", "Fermi GBM", ("TrigID",), Messenger.GAMMA, 0.68, _AUTOMATED),
    _Kind("/Fermi#GBM_Fin_Pos", "Fermi GBM", ("TrigID",), Messenger.GAMMA, 0.68, _ROBOTIC),
    _Kind("/SWIFT#BAT_GRB_Pos", "Swift", ("TrigID",), Messenger.GAMMA, 0.9),
    _Kind("/SWIFT#XRT_Pos", "Swift", ("TrigID",), Messenger.X_RAYS, 0.9),
    _Kind("/AMON#ICECUBE_", "IceCube", ("run_id", "event_id"), Messenger.NEUTRINO, 0.9),
    _Kind("svom", "SVOM", ("Burst_Id",), Messenger.GAMMA, 0.9),
)
_ENTITIES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def recognises(data: bytes) -> bool:
    """Whether the bytes are XML with a VOEvent."""
    return data.lstrip()[:1] == b"<" and b"VOEvent" in data[:2000]


def read(data: bytes) -> Notice:
    """The notice in a VOEvent."""
    root = _root(data)
    identifier = root.get("ivorn", "")
    kind = next((kind for kind in _KINDS if kind.part in identifier), None)
    if kind is None:
        raise PacketError(f"a VOEvent of a kind that is not read: {values.shown(identifier)}")
    given = _parameters(root)
    retracted = given.get("Retraction") == "true" or identifier.lower().endswith("retraction")
    number = values.identifier("_".join(given.get(name, "") for name in kind.names))
    return Notice(
        event=f"{kind.observatory} {number}",
        messenger=kind.messenger,
        role=_role(root, given),
        stage=_stage(identifier),
        issued=_unified.mjd(root.findtext("Who/Date"), "time of the notice"),
        mjd=_unified.mjd(root.findtext(".//TimeInstant/ISOTime"), "time of the event"),
        place=None if retracted else _place(root, kind),
        number=_unified.number(given.get("Sequence_Num") or given.get("Rev") or given.get("Pkt_Ser_Num")),
        retracted=retracted,
        far=_unified.far(values.number(given["FAR"]) / _YEAR) if "FAR" in given else nan,
        facts=_facts(given, identifier),
    )


def _root(data: bytes) -> ElementTree.Element:
    if len(data) > _MAX_BYTES:
        raise PacketError(f"a VOEvent of {len(data)} bytes; at most {_MAX_BYTES} are read")
    if _ENTITIES.search(data):
        raise PacketError("hostile: a VOEvent that defines entities")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise PacketError(f"a VOEvent that is no XML: {error!s:.120}") from error
    if not root.tag.endswith("VOEvent"):
        raise PacketError(f"XML that is no VOEvent: {values.shown(root.tag)}")
    return root


def _parameters(root: ElementTree.Element) -> Mapping[str, str]:
    return MappingProxyType({p.get("name", ""): p.get("value", "").strip() for p in root.iterfind("What//Param")})


def _role(root: ElementTree.Element, given: Mapping[str, str]) -> Role:
    flags = (given.get(name) for name in ("Test", "InternalTest", "Test_Submission", "Test_Notice"))
    return Role.OBSERVATION if root.get("role") == "observation" and "true" not in flags else Role.TEST


def _place(root: ElementTree.Element, kind: _Kind) -> Cone:
    position = root.find(".//AstroCoords/Position2D")
    if position is None:
        raise PacketError("the notice gives no position")
    ra, dec, error = (values.number(position.findtext(name)) for name in ("Value2/C1", "Value2/C2", "Error2Radius"))
    if ra == dec == 0.0:
        raise PacketError("the notice gives no position: right ascension and declination are 0")
    return _unified.cone(ra, dec, [error], kind.containment, kind.systematic)


def _stage(identifier: str) -> str:
    """Type of the notice, from its identifier: 'xrt pos'."""
    words = re.split(r"_(?=\d|Event)", identifier.partition("#")[2])[0]
    return words.replace("_", " ").lower()[:40] or "notice"


def _facts(given: Mapping[str, str], identifier: str) -> Mapping[str, str]:
    own = _unified.facts(
        given, signal_to_noise="Burst_Signif", signalness="signalness", energy_TeV="energy", map="LocationMap_URL", duration="Long_short"
    )
    return MappingProxyType({**own, "identifier": _unified.text(identifier)})
