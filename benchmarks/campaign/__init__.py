"""Replay of a follow-up campaign on real light curves, night by night, nothing from the future: our profiles against other policies.

``python -m benchmarks campaign --data DIR [--json]``, DIR in the layout of the development data. docs/campaign.md defines the replay and
its figures. Objects that the weights were trained on flatter: ``--weights`` names others, and ``n_seen`` counts them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.campaign.figures import OTHERS, figures, summary
from benchmarks.campaign.material import VARIATIONS, Material, Variation, prepare
from benchmarks.campaign.ours import Ours, Told
from benchmarks.campaign.play import Played
from benchmarks.campaign.subjects import HALVES
from classifiers.models.lightcurve.hierarchy import SHIPPED
from followup import profiles

#: Calendars (seeds) of the figures, and of each variation.
CALENDARS, FEWER = 5, 2

#: Name of the standard replay among the variations.
STANDARD = "standard"

#: A profile that is replayed with stamps that say SN as well.
WITH_STAMPS = "default"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command line."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="real light curves in the layout of the development data")
    parser.add_argument("--weights", type=Path, default=SHIPPED, metavar="DIR", help="a light-curve model other than the shipped one")
    parser.add_argument("--half", choices=[*HALVES, "all"], default=HALVES[1], help="objects, by the hash of their names")
    parser.add_argument(
        "--profile", nargs="+", default=[], metavar="NAME", help="shipped profiles; the first has the figures without a prefix"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep there what does not depend on the calendar")
    parser.add_argument("--calendars", type=int, default=CALENDARS, metavar="N", help="calendars of the figures")
    parser.add_argument("--no-variations", action="store_true", help="leave out the table of variations")


def run(data: Path | None = None, **options: Any) -> dict[str, Any]:
    """Figures of the standard replay and a table of variations; nothing without a folder of data."""
    if data is None:
        return {}
    material = prepare(data, options["weights"], options["half"], options["cache"])
    seen = int(material.known.seen.sum())
    if seen:
        print(f"WARNING: the model was trained on {seen} of {len(material.subjects)} objects: figures are too good", file=sys.stderr)
    ours = policies(material, options["profile"] or list(profiles.shipped()))
    first = next(iter(ours))
    wanted = {STANDARD: (Variation(), options["calendars"])}
    if not options["no_variations"]:
        wanted |= {name: (differs, min(FEWER, options["calendars"])) for name, differs in VARIATIONS.items()}
    played = material.played(wanted, ours)
    standard = played.pop(STANDARD)
    found: dict[str, Any] = {"objects": len(material.subjects), "half": options["half"], "n_seen": seen, "profile": first}
    found |= figures(standard, first)
    found |= {"profiles": {name: figures(standard, name) for name in ours}, "policies": {name: summary(standard[name]) for name in OTHERS}}
    return found | ({"variations": {name: variation(one, ours) for name, one in played.items()}} if played else {})


def policies(material: Material, names: list[str]) -> dict[str, Ours]:
    """Our policies by profile; one of them also with stamps."""
    shipped, told = profiles.shipped(), Told(material.subjects, material.states, material.known)
    found = {name: Ours(shipped[name], told) for name in names}
    if WITH_STAMPS in found:
        found[f"{WITH_STAMPS}_with_stamps"] = Ours(shipped[WITH_STAMPS], told, stamps=True)
    return found


def variation(played: Mapping[str, list[Played]], ours: Iterable[str]) -> dict[str, Any]:
    """Policy -> figures of hits; of ours, with the ratios to AAS2RTO, to chance and to the oracle."""
    kept = ("hits_per_slot", "caught", "purity", "ratio_to_aas2rto", "ratio_to_aas2rto_err", "ratio_to_random", "ratio_to_oracle")
    table: dict[str, Any] = {policy: summary(played[policy]) for policy in OTHERS}
    return table | {policy: {key: value for key, value in figures(played, policy).items() if key in kept} for policy in ours}
