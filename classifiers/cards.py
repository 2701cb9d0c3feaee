"""What the cards of the shipped models promise of their probabilities."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).resolve().parent / "weights"
#: Where cards keep the expected calibration error: on real objects by cross-validation, else on simulated ones.
_PLACES = (("cross_validation", "ece"), ("cross_validation", "full", "ece"), ("simulated", "ece"))


@lru_cache
def calibration_error(name: str, version: str) -> float | None:
    """Expected calibration error of a shipped model by its card; None for a model, or a version of one, that is not shipped."""
    file = WEIGHTS / name / "card.json"
    if not name.isidentifier() or not file.is_file():
        return None
    card = json.loads(file.read_text())
    return next((error for place in _PLACES if (error := _at(card, place)) is not None), None) if card["version"] == version else None


def _at(card: Any, place: tuple[str, ...]) -> float | None:
    for key in place:
        card = card.get(key) if isinstance(card, dict) else None
    return float(card) if isinstance(card, int | float) else None
