"""Training of the dense networks `classifiers.networks.Networks`, with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import quantiles
from classifiers.keras_loader import keras
from classifiers.networks import ARRAYS, Floats, Networks, from_arrays, shown

#: Units of the two hidden layers; dropout of inputs and of hidden units, and noise added to the inputs.
HIDDEN, INPUTS_OUT, HIDDEN_OUT, NOISE = (256, 128), 0.2, 0.4, 0.1

#: Epochs, batch size, initial learning rate (cosine decay), weight decay.
EPOCHS, BATCH, RATE, DECAY = 15, 256, 2e-3, 1e-3


def fit(x: NDArray[Any], target: NDArray[np.int64], weight: Floats, classes: int, seeds: range) -> Networks:
    """Train one network per seed on features (n, k), classes (n,) and weights (n,); the same seeds give the same networks.

    Weights are rounded as they are when stored.
    """
    known = quantiles.of(x)
    grown = [_fitted(shown(x, known), target, weight.astype(np.float32), classes, seed) for seed in seeds]
    layers = [np.stack(same).astype(np.float16) for same in zip(*grown, strict=True)]
    return from_arrays(dict(zip(ARRAYS, [known, *(a if a.ndim == 3 else a[:, None] for a in layers)], strict=True)))


def _fitted(x: NDArray[np.float32], target: NDArray[np.int64], weight: NDArray[np.float32], classes: int, seed: int) -> list[Any]:
    """Train one network; its weights, layer by layer."""
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
