"""Replays a campaign night by night: what a policy would have observed, from nothing but what was known each evening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best(scores: NDArray[np.float64], slots: int) -> NDArray[np.intp]:
    """Places of the best ``slots`` of n scores above 0, best first; of equals the first; fewer where fewer deserve a slot."""
    order = np.argsort(-np.nan_to_num(scores), kind="stable")[:slots]
    chosen: NDArray[np.intp] = order[np.nan_to_num(scores[order]) > 0.0]
    return chosen
