"""Everybody's word on one object in one row: who says the same as we do, and who says something else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from classifiers.taxonomy import comprises

#: Least probability of a class that counts as somebody's word; a word that comes without one counts.
SURE = 0.5


class Agreement(Enum):
    """How others stand to our word."""

    AGREE = "agree"
    DISAGREE = "disagree"
    ALONE = "alone"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one classifier, catalogue or spectrum says of an object: its most probable label, with its probability (NaN: none is given)."""

    who: str
    label: str
    probability: float = math.nan
    ours: bool = False

    @property
    def sure(self) -> bool:
        """Whether it counts: it names a class, and does not hold it for less probable than `SURE`."""
        return bool(comprises(self.label)) and not self.probability < SURE


@dataclass(frozen=True, slots=True)
class Consensus:
    """How others stand to our word.

    Attributes
    ----------
    agreement : Agreement
        DISAGREE if one of the others who are sure names a class that ours excludes; AGREE if at least one names it, or a wider or a finer
        one, and none another; ALONE if none is sure; SILENT if none of ours is.
    own : Voice or None
        Our word: the most probable of ours.
    others : tuple of (Voice, bool or None)
        All others, with whether each agrees with it; None where it is not sure, or we say nothing.
    """

    agreement: Agreement
    own: Voice | None
    others: tuple[tuple[Voice, bool | None], ...]


def consensus(voices: Iterable[Voice]) -> Consensus:
    """Compare our word on an object with those of others."""
    every = tuple(voices)
    own = max((voice for voice in every if voice.ours and voice.sure), key=lambda voice: voice.probability, default=None)
    others = tuple((voice, _agrees(own, voice)) for voice in every if not voice.ours)
    verdicts = {verdict for _, verdict in others}
    if own is None:
        agreement = Agreement.SILENT
    elif False in verdicts:
        agreement = Agreement.DISAGREE
    else:
        agreement = Agreement.AGREE if True in verdicts else Agreement.ALONE
    return Consensus(agreement, own, others)


def voices(said: Mapping[str, Mapping[str, float]]) -> tuple[Voice, ...]:
    """The voices in class probabilities by classifier; a broker's is named ``broker classifier``, ours has no blank in its name."""
    found = []
    for who, by_class in said.items():
        known = {label: p for label, p in by_class.items() if not math.isnan(p)}
        if by_class:
            label = max(known, key=lambda one: (known[one], one)) if known else min(by_class)
            found.append(Voice(who, label, known.get(label, math.nan), ours=" " not in who))
    return tuple(found)


def _agrees(own: Voice | None, other: Voice) -> bool | None:
    if own is None or not other.sure:
        return None
    return bool(comprises(own.label) & comprises(other.label))
