"""Dense networks as arrays: trained with Keras, kept without pickle, run by numpy.

A network sees every feature as a normal deviate (`quantiles`) and, beside it, whether it is known. Several are trained from different
seeds and their probabilities averaged. They err elsewhere than trees do, which is what they are good for beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from classifiers import quantiles
from classifiers.keras_loader import keras

Floats = NDArray[np.float64]

#: Hidden units of the two layers; share of the inputs and of the hidden units that are left out in training, and noise on the inputs.
HIDDEN, INPUTS_OUT, HIDDEN_OUT, NOISE = (256, 128), 0.2, 0.4, 0.1

#: Passes through the data, samples of a step, first learning rate (falling as a cosine), weight decay.
EPOCHS, BATCH, RATE, DECAY = 15, 256, 2e-3, 1e-3

#: Fields of `Networks`, as they are stored.
ARRAYS = ("quantiles", "first", "first_bias", "second", "second_bias", "last", "last_bias")


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """m networks of k features and their two hidden layers.

    Attributes
    ----------
    quantiles : shape (k, len(quantiles.STEPS))
    first, first_bias : shape (m, 2 k, 256), (m, 1, 256)
    second, second_bias : shape (m, 256, 128), (m, 1, 128)
    last, last_bias : shape (m, 128, classes), (m, 1, classes)
        All float32; weights are stored in half precision.
    """

    quantiles: NDArray[np.float32] = field(repr=False)
    first: NDArray[np.float32] = field(repr=False)
    first_bias: NDArray[np.float32] = field(repr=False)
    second: NDArray[np.float32] = field(repr=False)
    second_bias: NDArray[np.float32] = field(repr=False)
    last: NDArray[np.float32] = field(repr=False)
    last_bias: NDArray[np.float32] = field(repr=False)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For storage; `from_arrays` is its inverse."""
        return {name: getattr(self, name) if name == "quantiles" else getattr(self, name).astype(np.float16) for name in ARRAYS}

    def probabilities(self, x: NDArray[Any]) -> Floats:
        """Mean probabilities, shape (n, classes), of features of shape (n, k)."""
        shown = _shown(x, self.quantiles)
        hidden = _relu(shown @ self.first + self.first_bias)
        hidden = _relu(hidden @ self.second + self.second_bias)
        mean: Floats = softmax(hidden @ self.last + self.last_bias, axis=2).mean(axis=0, dtype=float)
        return mean


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Networks:
    """The networks that `Networks.arrays` described."""
    return Networks(**{name: np.asarray(arrays[name], np.float32) for name in ARRAYS})


def fit(x: NDArray[Any], target: NDArray[np.int64], weight: Floats, classes: int, seeds: range) -> Networks:
    """A network of each seed, trained on features (n, k), classes (n,) and weights (n,); the same seeds give the same again.

    The networks are those that are stored: their weights are rounded.
    """
    known = quantiles.of(x)
    grown = [_fitted(_shown(x, known), target, weight.astype(np.float32), classes, seed) for seed in seeds]
    layers = [np.stack(same).astype(np.float16) for same in zip(*grown, strict=True)]
    return from_arrays(dict(zip(ARRAYS, [known, *(a if a.ndim == 3 else a[:, None] for a in layers)], strict=True)))


def _fitted(x: NDArray[np.float32], target: NDArray[np.int64], weight: NDArray[np.float32], classes: int, seed: int) -> list[Any]:
    """Weights of one network, layer by layer."""
    k = keras()
    k.utils.set_random_seed(seed)
    model = k.Sequential(
        [
            k.Input((x.shape[1],)),
            k.layers.GaussianNoise(NOISE),
            k.layers.Dropout(INPUTS_OUT),
            *(layer for n in HIDDEN for layer in (k.layers.Dense(n, activation="relu"), k.layers.Dropout(HIDDEN_OUT))),
            k.layers.Dense(classes, activation="softmax"),
        ]
    )
    rate = k.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))
    model.compile(k.optimizers.AdamW(rate, weight_decay=DECAY), "sparse_categorical_crossentropy")
    model.fit(x, target, sample_weight=weight, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return list(model.get_weights())


def _shown(x: NDArray[Any], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inputs of a network, shape (n, 2 k)."""
    return np.hstack([quantiles.deviates(x, known), np.isfinite(x).astype(np.float32)])


def _relu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    positive: NDArray[np.float32] = np.maximum(x, 0.0, out=x)
    return positive
