"""Convolutional networks in Keras: that of Carrasco-Davis et al. 2021 (AJ 162, 231), and the smaller shipped one with two scales.

TensorFlow is imported when a network is first built, not with this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from classifiers.keras_loader import keras
from classifiers.models.stamp.preprocess import CROP, SIDE, Floats, Images, normalise
from classifiers.taxonomy import STAMP

#: Pixels in units of noise are compressed by arcsinh(x / KNEE) / 2: linear in the noise, logarithmic in stars.
KNEE = 3.0
#: The coarse scale is the whole cutout in bins of 3 x 3 pixels.
BIN = SIDE // CROP
#: Elements of the symmetry group of a square, and number of them that each network gets.
ORIENTATIONS, VIEWS = 8, 2

_INNER = slice((SIDE - CROP) // 2, (SIDE + CROP) // 2)


def views(stamps: Images) -> tuple[Images, Images]:
    """Inputs of our networks from stamps (n, c, 63, 63): views (n, 21, 21, 2 c) and log noise (n, c)."""
    scaled, _, noise = normalise(stamps)
    return scales(scaled), np.log(noise).astype(np.float32)


def scales(scaled: Images) -> Images:
    """Fine and coarse view, shape (n, 21, 21, 2 c), of stamps (n, c, 63, 63) in units of noise (`preprocess.normalise`).

    The first c channels are the inner 21 x 21 pixels of science, template and difference, the others the whole cutout in bins of
    3 x 3 pixels, in units of the noise of a bin. Each alert is turned to a standard orientation (`_stand`).
    """
    n, c = scaled.shape[:2]
    fine = scaled[:, :, _INNER, _INNER]
    coarse = scaled.reshape(n, c, CROP, BIN, CROP, BIN).mean(axis=(3, 5)) * BIN
    both = np.arcsinh(np.concatenate([fine, coarse], axis=1) / KNEE) / 2
    return np.ascontiguousarray(_stand(both).transpose(0, 2, 3, 1), dtype=np.float32)


def _stand(views: Images) -> Images:
    """Turn and reflect each alert, (n, c, s, s), so that the centroid of its light falls into one octant.

    A network of the result is invariant under the symmetries of the square, at an eighth of the cost of averaging over them.
    """
    axis = np.linspace(-1, 1, views.shape[-1], dtype=np.float32)
    light = views.sum(axis=1)
    y, x = (light * axis[:, None]).sum(axis=(1, 2)), (light * axis).sum(axis=(1, 2))
    views = np.where((y < 0)[:, None, None, None], views[:, :, ::-1], views)
    views = np.where((x < 0)[:, None, None, None], views[:, :, :, ::-1], views)
    return np.where((np.abs(y) > np.abs(x))[:, None, None, None], views.swapaxes(2, 3), views)


def orient(views: Images, element: int) -> Images:
    """Apply one of the eight symmetries of the square to views (n, s, s, c); 0 is the identity."""
    if element & 1:
        views = views[:, ::-1]
    if element & 2:
        views = views[:, :, ::-1]
    return views.swapaxes(1, 2) if element & 4 else views


def small(channels: int = 3, folded: bool = False, width: int = 16, dropout: float = 0.4, decay: float = 1e-4) -> Any:
    """Our network: (n, 21, 21, 2 channels) views and (n, channels) log noise -> (n, 5) probabilities.

    Each scale has a tower of its own of four convolutions with batch normalisation; of the coarse scale only means and maxima over the
    field are kept, of the fine scale also where things are. It is small because real labelled stamps are few. ``folded``: with the batch
    normalisation of the towers folded into their convolutions (`served`).
    """
    k = keras()
    layers, shrink = k.layers, k.regularizers.l2(decay)
    views, noise = k.Input((CROP, CROP, 2 * channels)), k.Input((channels,))

    def convolution(x: Any, filters: int, name: str) -> Any:
        if folded:
            return layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_regularizer=shrink, name=name)(x)
        return layers.Activation("relu")(layers.BatchNormalization(name=f"{name}_norm")(x))

    def tower(x: Any, name: str) -> Any:
        x = convolution(convolution(x, width, f"{name}_1"), width, f"{name}_2")
        x = layers.MaxPool2D(2, padding="same")(x)
        return convolution(convolution(x, 2 * width, f"{name}_3"), 2 * width, f"{name}_4")

    fine, coarse = tower(views[..., :channels], "fine"), tower(views[..., channels:], "coarse")
    place = layers.Dropout(dropout)(layers.Flatten()(layers.MaxPool2D(2, padding="same")(fine)))
    place = layers.Dense(64, activation="relu", kernel_regularizer=shrink, name="place")(place)
    pools = [layers.GlobalAveragePooling2D()(fine), layers.GlobalAveragePooling2D()(coarse), layers.GlobalMaxPooling2D()(coarse)]
    joined = layers.Concatenate()([place, *pools, layers.BatchNormalization(name="noise_norm")(noise)])
    hidden = layers.Dense(64, activation="relu", kernel_regularizer=shrink, name="hidden")(layers.Dropout(dropout)(joined))
    output = layers.Dense(len(STAMP), activation="softmax", dtype="float32", name="output")(layers.Dropout(dropout)(hidden))
    return k.Model([views, noise], output)


def fast_precision() -> str:
    """Keras policy that is fastest on this processor: half precision (bfloat16) if it has instructions for it."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return "float32"
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"


def served(weights: Sequence[list[NDArray[np.float32]]], precision: str) -> Callable[[Images, Images], NDArray[np.float32]]:
    """Compile a function of views and log noise: probabilities (n, m, 5) of m networks, each with the views in its orientations.

    Parameters
    ----------
    weights : sequence of lists of arrays
        Weights of each network, in the order of ``small().get_weights()``.
    precision : str
        Keras policy, 'float32' or 'mixed_bfloat16'.
    """
    k = keras()
    import tensorflow as tf

    before = k.config.dtype_policy()
    k.config.set_dtype_policy(precision)
    try:
        models = [_folded(w) for w in weights]
    finally:
        k.config.set_dtype_policy(before)

    channels = channels_of(weights[0])
    shapes = [tf.TensorSpec((None, CROP, CROP, 2 * channels), tf.float32), tf.TensorSpec((None, channels), tf.float32)]

    @tf.function(input_signature=shapes)
    def run(views: Any, noise: Any) -> Any:
        seen = []
        for i, model in enumerate(models):
            turned = [_turn(tf, views, (VIEWS * i + v) % ORIENTATIONS) for v in range(VIEWS)]
            p = model([tf.concat(turned, 0), tf.tile(noise, (VIEWS, 1))], training=False)
            seen += tf.split(p, VIEWS)
        return tf.stack(seen, 1)

    return lambda views, noise: np.asarray(run(tf.constant(views), tf.constant(noise)))


def _turn(tf: Any, views: Any, element: int) -> Any:
    """`orient` inside a graph."""
    axes = [axis for bit, axis in ((1, 1), (2, 2)) if element & bit]
    views = tf.reverse(views, axes) if axes else views
    return tf.transpose(views, (0, 2, 1, 3)) if element & 4 else views


def channels_of(weights: list[NDArray[np.float32]]) -> int:
    """Number of images that a network of these weights takes."""
    return int(weights[0].shape[2])


def embedded(weights: list[NDArray[np.float32]]) -> Callable[[Images, Images], NDArray[np.float32]]:
    """Function of views and log noise that gives the last hidden layer of one network, (n, 64)."""
    model = _folded(weights)
    hidden = keras().Model(model.inputs, model.get_layer("hidden").output)
    return lambda views, noise: np.asarray(hidden.predict([views, noise], batch_size=256, verbose=0), np.float32)


def _folded(weights: list[NDArray[np.float32]]) -> Any:
    """Network with each batch normalisation of the towers folded into the convolution before it."""
    taught, result = small(channels_of(weights)), small(channels_of(weights), folded=True)
    taught.set_weights(weights)
    for layer in result.layers:
        if isinstance(layer.name, str) and layer.name.startswith(("fine", "coarse")) and layer.get_weights():
            norm = taught.get_layer(f"{layer.name}_norm")
            gamma, beta, mean, variance = norm.get_weights()
            scale = gamma / np.sqrt(variance + norm.epsilon)
            layer.set_weights([taught.get_layer(layer.name).get_weights()[0] * scale, beta - mean * scale])
        elif layer.get_weights():
            layer.set_weights(taught.get_layer(layer.name).get_weights())
    return result


def paper(metadata: int = 0, kernel: int = 3, dropout: float = 0.5) -> Any:
    """The network of Carrasco-Davis et al.: (n, 21, 21, 3) stamps in [0, 1], and (n, metadata) numbers if any, -> (n, 5) probabilities.

    Four rotations share the convolutions and the first dense layer and are averaged (cyclic pooling) before the metadata are joined;
    without metadata they share the second dense layer too, as in ALeRCE's checkpoints.
    """
    k = keras()
    layers = k.layers
    stamps = k.Input((CROP, CROP, 3))
    trunk = [layers.ZeroPadding2D(3), layers.Conv2D(32, 4, activation="relu")]
    trunk += [layers.Conv2D(32, kernel, padding="same", activation="relu"), layers.MaxPool2D(2)]
    trunk += [layers.Conv2D(64, kernel, padding="same", activation="relu") for _ in range(3)]
    trunk += [layers.MaxPool2D(2), layers.Flatten()]
    dense = [[layers.Dense(64, activation="relu"), layers.Dropout(dropout)] for _ in range(3)]
    trunk += dense[0] if metadata else dense[0] + dense[1]
    turned = [stamps]
    for _ in range(3):  # counter-clockwise quarter turns
        turned.append(k.ops.flip(k.ops.transpose(turned[-1], (0, 2, 1, 3)), axis=1))
    x = layers.Average()([_chain(trunk, view) for view in turned])
    inputs = [stamps]
    if metadata:
        inputs.append(k.Input((metadata,)))
        x = layers.Concatenate()([x, layers.BatchNormalization()(inputs[1])])
        x = _chain(dense[1] + dense[2], x)
    return k.Model(inputs, layers.Dense(len(STAMP), activation="softmax", dtype="float32")(x))


def _chain(layers: Sequence[Any], x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


def unit_crop(stamps: Images) -> Images:
    """ALeRCE's input, shape (n, 21, 21, 3), of stamps (n, 3, 63, 63): the inner 21 x 21 pixels, each image stretched to [0, 1], NaN -> 0.

    A constant image is 0 throughout, since 0 / 0 is NaN.
    """
    inner = np.array(stamps[:, :, _INNER, _INNER])
    known = np.isfinite(inner)
    low = np.where(known, inner, np.inf).min(axis=(2, 3), keepdims=True)
    high = np.where(known, inner, -np.inf).max(axis=(2, 3), keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = (inner - low) / (high - low)
    return np.ascontiguousarray(np.nan_to_num(unit, nan=0.0, posinf=0.0, neginf=0.0).transpose(0, 2, 3, 1))


def weights_of(model: Any) -> list[NDArray[np.float32]]:
    """Arrays of a model, in Keras's order."""
    return [np.asarray(w, np.float32) for w in model.get_weights()]


def geometric_mean(probabilities: NDArray[Any]) -> Floats:
    """Normalised geometric mean (n, k) of m predictions each, (n, m, k): the average of their logits."""
    logs = np.log(np.maximum(probabilities.astype(float), 1e-9)).mean(axis=1)
    mean: Floats = softmax(logs, axis=1)
    return mean
