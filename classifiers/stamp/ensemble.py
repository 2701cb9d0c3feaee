"""The model that we ship: a forest on metadata, a forest on measurements of the stamps, and small networks on the stamps themselves.

Their errors differ more than those of any of them with itself, and labelled alerts are too few for one network to learn it all. The
average is calibrated for equal class frequencies, apart for the full model and for the one that looks at the images alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.taxonomy import STAMP

from . import images, metadata, network
from .preprocess import Floats, Images, Inputs
from .trees import Forest

#: Share of each part in the average, by mode. Fixed beforehand and not tuned: with metadata, as much to them as to the images.
SHARES = {"full": {"metadata": 2.0, "images": 1.0, "networks": 1.0}, "image_only": {"images": 1.0, "networks": 1.0}}
#: Orientations that each network is shown; together the networks see all eight.
VIEWS = 2
#: Alerts at once through everything: bounds the memory (about 100 MB).
BATCH = 512


@dataclass(slots=True, eq=False)
class Ensemble:
    """A fitted model.

    Attributes
    ----------
    forests : dict
        'metadata' and 'images' -> Forest.
    weights : sequence of lists of arrays
        Weights of each network, in Keras's order.
    calibrations : dict
        'full' and 'image_only' -> Calibration.
    """

    forests: dict[str, Forest]
    weights: Sequence[list[NDArray[np.float32]]]
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    _networks: list[Any] = field(default_factory=list, repr=False)

    def predict(self, inputs: Inputs, mode: str = "full") -> Floats:
        """Calibrated probabilities, shape (n, 5); NaN in rows that are not usable."""
        result = np.full((len(inputs), len(STAMP)), np.nan)
        for start in range(0, len(inputs), BATCH):
            rows = np.arange(start, min(start + BATCH, len(inputs)))
            rows = rows[inputs.usable[rows]]
            if rows.size:
                parts = self.parts(inputs.take(rows), tuple(SHARES[mode]))
                result[rows] = self.calibrations.get(mode, Calibration()).apply(combine(parts, mode))
        return result

    def parts(self, inputs: Inputs, names: Sequence[str] = ("metadata", "images", "networks")) -> dict[str, Floats]:
        """Uncalibrated probabilities (n, 5) of each part named, for inputs that are all usable."""
        parts = {}
        if "metadata" in names:
            parts["metadata"] = self.forests["metadata"].predict(metadata.features(inputs.metadata))
        if "images" in names or "networks" in names:
            normal = images.normalise(inputs.stamps)
        if "images" in names:
            parts["images"] = self.forests["images"].predict(images.features(inputs.stamps, normal)[1])
        if "networks" in names:
            parts["networks"] = self.look(network.scales(normal[0]), np.log(normal[2]).astype(np.float32))
        return parts

    def look(self, views: Images, noise: Images) -> Floats:
        """What the networks make of views (n, 21, 21, 6) and log noise (n, 3), averaged over networks and orientations."""
        while len(self._networks) < len(self.weights):
            model = network.small()
            model.set_weights(self.weights[len(self._networks)])
            self._networks.append(model)
        seen = [
            model.predict_on_batch([np.ascontiguousarray(network.orient(views, (VIEWS * i + v) % network.ORIENTATIONS)), noise])
            for i, model in enumerate(self._networks)
            for v in range(VIEWS)
        ]
        return network.geometric_mean(seen)


def combine(parts: dict[str, Floats], mode: str) -> Floats:
    """Weighted mean of the parts' probabilities, shape (n, 5)."""
    shares = SHARES[mode]
    total: Floats = sum((share * parts[name] for name, share in shares.items()), np.zeros(1))
    return total / sum(shares.values())
