"""Dissent: brokers see another class than we do, and a spectrum would say who is right."""

from __future__ import annotations

import numpy as np

from classifiers.consensus import Agreement, Consensus, Voice, consensus, voices
from followup.batch import Batch
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores


def term(candidates: Candidates, night: Night, *, agree: float = 0.3) -> Scores:
    """1 where a broker names a class that ours excludes, ``agree`` where brokers name ours, else `NEUTRAL`, shape (n,).

    ``agree`` as well where a spectroscopic class is known.
    """
    batch = Batch.of(candidates)
    found = [consensus(voices(one.probabilities)) for one in batch]
    worth = {Agreement.DISAGREE: 1.0, Agreement.AGREE: agree}
    values = np.array([worth.get(one.agreement, NEUTRAL) for one in found])
    values[batch.classified] = agree
    return Scores(values, Reasons(len(batch), lambda i: "its class is known" if batch.classified[i] else _reason(found[i])))


def _reason(found: Consensus) -> str:
    if found.own is None:
        return "our classifiers say nothing"
    against = [_said(voice) for voice, same in found.others if same is False]
    if against:
        return f"we say {_said(found.own)}, but {', '.join(against)}"
    agreeing = [voice.who for voice, same in found.others if same]
    return f"{', '.join(agreeing)} {'agrees' if len(agreeing) == 1 else 'agree'}" if agreeing else "nobody else is sure of a class"


def _said(voice: Voice) -> str:
    probability = "" if np.isnan(voice.probability) else f" {voice.probability:.0%}"
    return f"{voice.label}{probability} ({voice.who})"
