"""How brokers stand to what we say."""

from __future__ import annotations

from classifiers.consensus import Agreement, consensus, voices
from followup.batch import Batch
from followup.filters.records import Field, Kind, joined


def _agreement(batch: Batch, at: float) -> list[str]:
    return [joined([consensus(voices(batch[i].probabilities)).agreement.value]) for i in range(len(batch))]


FIELDS = {
    "agreement": Field(
        "we and the brokers",
        "whether brokers' classifiers name the class that is most probable by ours (agree), another (disagree), or nothing with a "
        "probability of one half (alone); silent where ours say nothing themselves",
        Kind.WORDS,
        values=_agreement,
        column="agreement",
        choices=tuple(one.value for one in Agreement),
    ),
}
