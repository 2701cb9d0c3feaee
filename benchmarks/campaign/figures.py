"""Figures of what policies found, with errors by bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.campaign.play import Played, rate, ratio, share

#: Policies that ours is compared with.
OTHERS = ("aas2rto", "aas2rto_measured", "brightest", "random", "oracle")


def figures(played: Mapping[str, Sequence[Played]], ours: str) -> dict[str, Any]:
    """Figures of one of our policies, and its ratios to the others, each with ``_err`` beside it."""
    own = played[ours]
    found = _with_error("hits_per_slot", rate(own, "hits"))
    found |= {"caught": _short(share(own, "hits"))} | _with_error("purity", rate(own, "hits", "observed"))
    for other in OTHERS:
        found |= _with_error(f"ratio_to_{other}", ratio(own, played[other], "hits"))
    found |= _with_error("young_per_slot", rate(own, "young"))
    found |= _with_error("young_ratio_to_brightest", ratio(own, played["brightest"], "young"))
    found["young_caught"] = _short(share(own, "young"))
    return found | _with_error("rare_ratio_to_random", ratio(own, played["random"], "rare"))


def summary(played: Sequence[Played]) -> dict[str, Any]:
    """Figures of any policy alone."""
    return {
        "hits_per_slot": _short(rate(played, "hits")[0]),
        "hits_per_slot_err": _short(rate(played, "hits")[1]),
        "purity": _short(rate(played, "hits", "observed")[0]),
        "caught": _short(share(played, "hits")),
        "young_caught": _short(share(played, "young")),
        "rare_per_slot": _short(rate(played, "rare")[0]),
        "slots_used": _short(rate(played, "observed")[0]),
    }


def _with_error(name: str, value: tuple[float, float]) -> dict[str, float | None]:
    return {name: _short(value[0]), f"{name}_err": _short(value[1])}


def _short(value: float) -> float | None:
    """Four decimals; None for what is not known, which JSON has no number for."""
    return round(value, 4) if value == value else None
