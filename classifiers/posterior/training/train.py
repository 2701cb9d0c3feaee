"""``python -m classifiers train posterior``: three networks, one of all objects and one of each half of them."""

from __future__ import annotations

import logging
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from classifiers.posterior import storage
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Floats
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training import network
from classifiers.posterior.training.samples import SHARES, Real, Samples, cut, joined, of_real, read, simulated

log = logging.getLogger(__name__)

#: Names of the networks: of all objects, and those that have seen one half of them only.
NETWORKS = ("all", "half0", "half1")

#: Simulated supernovae, epochs of them, and learning rate; the same of the real ones, of which each epoch has several copies, cut anew, and
#: as many simulated ones beside.
SIMULATED, EPOCHS, RATE = 40000, 16, 2e-3
COPIES, TUNING, TUNING_RATE, BESIDE = 4, 16, 7e-4, 4000


def digests(names: list[str]) -> NDArray[np.uint32]:
    """CRC-32 of each name."""
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def half(names: list[str]) -> NDArray[np.int64]:
    """Half, 0 or 1, of each object, by its name."""
    return (digests(names) % 2).astype(np.int64)


def train(data: Path, out: Path, seed: int = 0) -> dict[str, Any]:
    """Train the networks and write them with their card; the figures of the card are those of `evaluation` on what each has not seen."""
    real = read(data)
    halves = half([one.name for one in real])
    networks = {}
    for name in NETWORKS:
        used = [one for one, h in zip(real, halves, strict=True) if name in ("all", f"half{h}")]
        log.info("%s: %d supernovae", name, len(used))
        networks[name] = trained(used, np.random.default_rng([seed, NETWORKS.index(name)]))
    card = {
        "name": "posterior",
        "version": "1.0",
        "seed": seed,
        "objects": {label: sum(one.label == k for one in real) for k, label in enumerate(CLASSES)},
    }
    storage.save(out, networks, card, digests([one.name for one in real]))
    return card


def trained(real: list[Real], rng: Generator) -> Weights:
    """Train one network on simulated supernovae after these real ones, then on themselves."""
    simulation = simulated(real, SIMULATED, rng)
    standard = network.moments(simulation, rng)
    network.seeded(int(rng.integers(2**31)))
    model = network.built()
    losses = network.fit(model, [lambda g: cut(simulation, g)] * EPOCHS, RATE, standard, rng)
    log.info("simulated: loss %.2f to %.2f", losses[0], losses[-1])
    losses = tuned(model, real, simulation, standard, rng)
    log.info("real: loss %.2f to %.2f", losses[0], losses[-1])
    return network.weights(model, standard)


def tuned(model: Any, real: list[Real], simulation: Samples, standard: tuple[Floats, Floats], rng: Generator) -> list[float]:
    """Go on with real supernovae, and simulated ones in the proportions of the real classes beside them."""
    common = np.bincount([one.label for one in real], minlength=len(CLASSES)) / len(real) / SHARES
    network.shift(model, np.log(common))
    chance = common[simulation.label] / common[simulation.label].sum()

    def epoch(g: Generator) -> Samples:
        beside = simulation[g.choice(len(simulation), BESIDE, p=chance)]
        return joined([cut(part, g) for part in (*(of_real(real, g) for _ in range(COPIES)), beside)])

    return network.fit(model, [epoch] * TUNING, TUNING_RATE, standard, rng)
