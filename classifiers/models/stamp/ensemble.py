"""The shipped stamp model: small networks on the stamps, and two forests on the metadata.

The parts make different errors. One forest uses all metadata of real alerts; the other uses those that simulated alerts have too, and is
trained on both. The average is calibrated for equal class frequencies, separately for the full model and for the images alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from classifiers.calibration import Calibration
from classifiers.models.stamp import metadata, network
from classifiers.models.stamp.embedding import Embedding
from classifiers.models.stamp.preprocess import Floats, Images, Inputs
from classifiers.population_stability import Reference
from classifiers.taxonomy import STAMP
from classifiers.trees import Trees

#: Weight of each part in the average, by mode: images and metadata weigh the same.
SHARES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"full": {"networks": 2.0, "metadata": 1.0, "simulated metadata": 1.0}, "image_only": {"networks": 1.0}}
)
#: Forest -> the features that it uses.
READS: Mapping[str, Sequence[str]] = MappingProxyType({"metadata": tuple(metadata.FEATURES), "simulated metadata": metadata.SIMULATED})
#: Least probability of a class in any part, since each part learnt from few examples.
FLOOR = 0.003
#: Alerts per batch, which bounds the memory (about 100 MB).
BATCH = 512


@dataclass(slots=True, eq=False)
class Ensemble:
    """Fitted stamp model.

    Attributes
    ----------
    forests : dict
        Name in `READS` -> Trees.
    weights : sequence of lists of arrays
        Weights of each network, in Keras's order.
    calibrations : dict
        Mode -> Calibration.
    precision : str or None
        Keras policy of the networks, 'float32' or 'mixed_bfloat16'; None: the fastest on this processor.
    embedding : Embedding or None
        Coordinates of stamps in which drift is measured; the probabilities do not use them.
    reference : Reference or None
        Distributions of the training set that drift is measured against.
    """

    forests: Mapping[str, Trees]
    weights: Sequence[list[NDArray[np.float32]]]
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    precision: str | None = None
    embedding: Embedding | None = field(default=None, repr=False)
    reference: Reference | None = field(default=None, repr=False)
    _networks: Callable[[Images, Images], NDArray[np.float32]] | None = field(default=None, repr=False)

    def predict(self, inputs: Inputs, mode: str = "full") -> Floats:
        """Calibrated probabilities, shape (n, 5); NaN in rows of unusable inputs."""
        result = np.full((len(inputs), len(STAMP)), np.nan)
        usable = np.flatnonzero(inputs.usable)
        for start in range(0, usable.size, BATCH):
            rows = usable[start : start + BATCH]
            result[rows] = self.calibrations.get(mode, Calibration()).apply(combine(self.parts(inputs.take(rows), SHARES[mode]), mode))
        return result

    def parts(self, inputs: Inputs, names: Sequence[str] | Mapping[str, float] = SHARES["full"]) -> dict[str, Floats]:
        """Uncalibrated probabilities (n, 5) of each part named, for inputs that are all usable."""
        parts = {name: self.forests[name].probabilities(metadata.features(inputs.metadata, READS[name])) for name in names if name in READS}
        if "networks" in names:
            parts["networks"] = self.network_probabilities(*network.views(inputs.stamps))
        return parts

    def network_probabilities(self, views: Images, noise: Images) -> Floats:
        """Probabilities by the networks of views (n, 21, 21, 2 c) and log noise (n, c), averaged over networks and orientations."""
        if self._networks is None:
            self._networks = network.served(self.weights, self.precision or network.fast_precision())
        return network.geometric_mean(self._networks(views, noise))


def combine(parts: Mapping[str, Floats], mode: str) -> Floats:
    """Normalised weighted geometric mean of the parts' probabilities, shape (n, 5).

    Geometric, since images and metadata are nearly independent evidence, whose likelihoods multiply.
    """
    shares = SHARES[mode]
    logs = sum((share * np.log(np.maximum(parts[name], FLOOR)) for name, share in shares.items()), np.zeros(1))
    mean: Floats = softmax(logs / sum(shares.values()), axis=1)
    return mean
