"""The joint posterior of a transient's light curve, in one pass of a network, for many objects at once (docs/model-cards/posterior.md).

What infers is imported at the first call, so that those who only read outlooks (`classifiers.posterior.records`) need NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from classifiers.posterior.records import Outlooks

if TYPE_CHECKING:
    from classifiers.posterior.network import Weights
    from classifiers.posterior.points import Curve

__all__ = ["Outlooks", "infer", "version"]


def infer(curves: Sequence[Curve], now: ArrayLike = float("inf"), weights: Weights | None = None) -> Outlooks:
    """Outlooks of n light curves, each a `LightCurve` or rows of `DETECTION`, by what was measured until `now`.

    One without a detection until then has no outlook: its probabilities are zero, the rest is NaN.

    Parameters
    ----------
    curves : sequence of length n
        Light curves.
    now : float, or shape (n,)
        MJD, UTC.
    weights : Weights, optional
        Those of the network; the shipped ones by default.
    """
    from classifiers.posterior import inference

    return inference.infer(curves, now, weights)


def version() -> str:
    """Version of the shipped weights, and of the layout of outlooks as bytes; another one asks for new outlooks."""
    from classifiers.posterior import records, storage

    return f"{storage.card()['version']}/{records.VERSION}"
