"""Training of the network of `classifiers.posterior.network`, with Keras: on simulated supernovae, then on real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from classifiers.keras_loader import keras
from classifiers.posterior.curves import SIZE, WARP
from classifiers.posterior.inputs import PER_OBJECT, PER_POINT, inputs
from classifiers.posterior.network import ATTENTION, COMPONENTS, OUTPUTS, TRIANGLE, Weights
from classifiers.posterior.points import Floats, padded, tabled
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training.samples import Samples, cut

#: Units of the layers: of a point, of its second layer, of the summary, of the head.
POINT, SECOND, SUMMARY, HEAD = 32, 48, 128, 96

#: Batch size, and weights in the loss, beside the joint density of all parameters, of the peak given the class, of the class, and of the
#: peak over all classes. There is no dropout: times that are known through noise are drawn to the mean, and stay so without it.
BATCH, MARGINAL, CLASS, MIXED = 256, 1.0, 0.5, 1.0

#: Standardised parameters are clipped here.
CLIP = 5.0

#: Part of the learning rate that is left at the end.
FINAL = 0.03


def seeded(seed: int) -> None:
    """Seed the random numbers of Keras."""
    keras().utils.set_random_seed(seed)


def shift(model: Any, logits: Floats) -> None:
    """Add to the logits of the classes, as for other frequencies of them."""
    bias = model.get_layer("classes").bias
    bias.assign(bias + logits.astype(np.float32))


def built() -> Any:
    """Build the network; its outputs are the logits of the classes, and the mixtures given each of them."""
    k = keras()
    layers, ops = k.layers, k.ops
    each, used, whole = k.Input((None, PER_POINT), name="each"), k.Input((None,), name="used"), k.Input((PER_OBJECT,), name="whole")
    mask = ops.expand_dims(used, -1)
    h = layers.Dense(POINT, "relu", name="point1")(each)
    h = layers.Dense(POINT, "relu", name="point2")(h) * mask
    pooled = layers.Concatenate()([ops.sum(h, 1) / ops.sum(mask, 1), ops.max(h, 1), whole])
    context = layers.Dense(SECOND, name="context")(pooled)
    h = ops.relu(layers.Dense(SECOND, use_bias=False, name="point3")(h) + ops.expand_dims(context, 1))
    h = layers.Dense(SECOND, "relu", name="point4")(h)
    attention = ops.softmax(layers.Dense(ATTENTION, name="attention")(h) - 1e4 * (1 - mask), axis=1)
    read = ops.reshape(ops.matmul(ops.transpose(attention, (0, 2, 1)), h), (-1, ATTENTION * SECOND))
    e = layers.Concatenate()([read, ops.max(h * mask, 1), context, whole])
    e = layers.Dense(SUMMARY, "relu", name="summary1")(e)
    e = layers.Dense(SUMMARY, "relu", name="summary2")(e)
    logits = layers.Dense(len(CLASSES), name="classes")(e)
    common = ops.repeat(ops.expand_dims(layers.Dense(HEAD, name="head1")(e), 1), len(CLASSES), axis=1)
    of_class = ops.expand_dims(ops.zeros_like(logits), -1) + np.eye(len(CLASSES), dtype=np.float32)
    d = ops.relu(common + layers.Dense(HEAD, use_bias=False, name="given")(of_class))
    mixture = layers.Dense(OUTPUTS, name="head2")(d)
    return k.Model([each, used, whole], [logits, mixture])


def loss(truth: Any, found: Any) -> Any:
    """Loss of each object: negative logarithms of the density of its standardised parameters given its class, and of the class.

    `truth` has the parameters, then the class. The density of the time of the peak, whatever the class, counts by itself.
    """
    ops = keras().ops
    logits, out = found
    weight, mean, triangle = ops.split(out, [COMPONENTS, COMPONENTS * (1 + SIZE)], axis=2)
    z, label = truth[:, :SIZE], truth[:, SIZE:]
    delta = z[:, None, None] - ops.reshape(mean, (-1, len(CLASSES), COMPONENTS, SIZE))
    packed = ops.reshape(triangle, (-1, len(CLASSES), COMPONENTS, TRIANGLE))
    log_diagonal, below = ops.clip(packed[..., :SIZE], -4.0, 6.0), packed[..., SIZE:]
    white = ops.exp(log_diagonal) * delta
    rows, columns = np.tril_indices(SIZE, -1)
    scatter = np.zeros((len(rows), SIZE), np.float32)
    scatter[np.arange(len(rows)), rows] = 1
    whole = white + ops.matmul(below * ops.take(delta, columns, axis=-1), ops.convert_to_tensor(scatter))
    log_weight, constant = ops.log_softmax(weight, axis=-1), 0.5 * np.log(2 * np.pi)
    joint = ops.logsumexp(log_weight + ops.sum(log_diagonal - 0.5 * whole**2 - constant, -1), axis=-1)
    peak = ops.logsumexp(log_weight + log_diagonal[..., 0] - 0.5 * white[..., 0] ** 2 - constant, axis=-1)
    classes = ops.log_softmax(logits, axis=-1)
    mixed = ops.logsumexp(classes + peak, axis=-1)
    return -ops.sum(label * (joint + MARGINAL * peak + CLASS * classes), -1) - MIXED * mixed


def batch(samples: Samples, mean: Floats, sigma: Floats) -> tuple[list[Any], Any]:
    """Inputs and truth of the network for light curves as they are."""
    x = inputs(padded(tabled(samples.tables)))
    z = samples.target.copy()
    z[:, 0] = np.arcsinh((z[:, 0] - x.mjd) / WARP)
    z[:, 1] -= np.log(x.scale)
    label = np.eye(len(CLASSES), dtype=np.float32)[samples.label]
    z = np.clip((z - mean) / sigma, -CLIP, CLIP)
    return [x.each, x.used.astype(np.float32), x.whole], np.concatenate([z, label], axis=1).astype(np.float32)


def moments(samples: Samples, rng: Generator) -> tuple[Floats, Floats]:
    """Means and standard deviations of the parameters, by which they are standardised."""
    _, z = batch(cut(samples, rng), np.zeros(SIZE), np.full(SIZE, 1e9))
    raw = z[:, :SIZE].astype(float) * 1e9
    low, middle, high = np.quantile(raw, (0.16, 0.5, 0.84), axis=0)
    return middle, (high - low) / 2


def fit(model: Any, epochs: list[Any], rate: float, standard: tuple[Floats, Floats], rng: Generator) -> list[float]:
    """Train on a list of functions of (rng) that give the `Samples` of an epoch, with a rate that falls as a cosine; losses by epoch."""
    import tensorflow as tf

    optimizer = keras().optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=5.0)
    step = tf.function(lambda x, y: _step(model, optimizer, x, y, tf), reduce_retracing=True, autograph=False)
    losses = []
    for number, samples_of in enumerate(epochs):
        samples = samples_of(rng)
        x, y = batch(samples, *standard)
        count = x[1].sum(axis=1)
        size = np.argsort(count + rng.uniform(0, 6, len(y)), kind="stable")  # batches of like length need no padding
        starts = np.arange(0, len(y) - BATCH + 1, BATCH)
        total = 0.0
        for done, start in enumerate(rng.permutation(starts)):
            which = size[start : start + BATCH]
            longest = int(-(-int(count[which].max()) // 8) * 8)
            share = (number + done / len(starts)) / len(epochs)
            optimizer.learning_rate.assign(rate * (FINAL + (1 - FINAL) * 0.5 * (1 + np.cos(np.pi * share))))
            given = [x[0][which, :longest], x[1][which, :longest], x[2][which]]
            total += float(step([tf.constant(a) for a in given], tf.constant(y[which])))
        losses.append(total / len(starts))
    return losses


def _step(model: Any, optimizer: Any, x: Any, y: Any, tf: Any) -> Any:
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(loss(y, model(x, training=True)))
    gradients = tape.gradient(value, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return value


def weights(model: Any, standard: tuple[Floats, Floats]) -> Weights:
    """Weights for serving, rounded as they are when stored, without a temperature."""
    arrays = {}
    for layer in model.layers:
        for variable in layer.weights:
            arrays[f"{layer.name}.{variable.name}"] = np.asarray(variable, np.float16).astype(np.float32)
    return Weights(arrays, *standard, np.ones(1))
