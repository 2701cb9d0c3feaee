"""``python -m classifiers train posterior``: three networks, one of all objects and one of each half of them."""

from __future__ import annotations

import logging
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from classifiers.posterior import storage
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Floats
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training import mcmc, network, sbc
from classifiers.posterior.training.samples import SHARES, Real, Samples, cut, joined, of_real, read, simulated
from classifiers.posterior.training.tempering import temperatures

log = logging.getLogger(__name__)

#: Names of the networks: of all objects, and those that have seen one half of them only.
NETWORKS = ("all", "half0", "half1")

#: Supernovae whose true parameters are ranked, and of which there are long chains.
RANKED, CHAINED = 2000, 40

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
    networks: dict[str, Weights] = {}
    calibration: dict[str, Any] = {}
    for name in NETWORKS:
        used = [one for one, h in zip(real, halves, strict=True) if name in ("all", f"half{h}")]
        log.info("%s: %d supernovae", name, len(used))
        rng = np.random.default_rng([seed, NETWORKS.index(name)])
        simulation = simulated(used, SIMULATED, rng)
        learnt = learn(simulation, rng)
        if name == "all":
            calibration = calibrated(network.weights(*learnt), used, mcmc.shapes(simulation), np.random.default_rng(0))
        networks[name] = tuned(*learnt, used, simulation, rng)
    held_out = [(networks[f"half{h}"], [one for one, own in zip(real, halves, strict=True) if own != h]) for h in (0, 1)]
    tempers = temperatures(held_out, np.random.default_rng(seed))
    networks = {name: replace(networks[name], temper=np.array([temper])) for name, temper in zip(NETWORKS, tempers, strict=True)}
    card = {
        "name": "posterior",
        "version": "1.1",
        "seed": seed,
        "simulated": SIMULATED,
        "objects": {label: sum(one.label == k for one in real) for k, label in enumerate(CLASSES)},
        "temperatures": [round(temper, 4) for temper in tempers],
        "calibration": calibration,
    }
    storage.save(out, networks, card, digests([one.name for one in real]))
    return card


def learn(simulation: Samples, rng: Generator) -> tuple[Any, tuple[Floats, Floats]]:
    """Train a network on simulated supernovae: the network of Keras, and by what the parameters are standardised."""
    standard = network.moments(simulation, rng)
    network.seeded(int(rng.integers(2**31)))
    model = network.built()
    losses = network.fit(model, [lambda g: cut(simulation, g)] * EPOCHS, RATE, standard, rng)
    log.info("simulated: loss %.2f to %.2f", losses[0], losses[-1])
    return model, standard


def calibrated(weights: Weights, real: list[Real], prior: tuple[Floats, Floats], rng: Generator) -> dict[str, Any]:
    """Ranks of true parameters, and agreement with long chains, for simulated supernovae that are new."""
    fresh = cut(simulated(real, RANKED, rng), rng)
    return {"ranks": sbc.calibration(weights, fresh), "chains": mcmc.agreement(weights, fresh[np.arange(CHAINED)], prior, rng)}


def tuned(model: Any, standard: tuple[Floats, Floats], real: list[Real], simulation: Samples, rng: Generator) -> Weights:
    """Go on with real supernovae, and simulated ones in the proportions of the real classes beside them."""
    common = np.bincount([one.label for one in real], minlength=len(CLASSES)) / len(real) / SHARES
    network.shift(model, np.log(common))
    chance = common[simulation.label] / common[simulation.label].sum()

    def epoch(g: Generator) -> Samples:
        beside = simulation[g.choice(len(simulation), BESIDE, p=chance)]
        return joined([cut(part, g) for part in (*(of_real(real, g) for _ in range(COPIES)), beside)])

    losses = network.fit(model, [epoch] * TUNING, TUNING_RATE, standard, rng)
    log.info("real: loss %.2f to %.2f", losses[0], losses[-1])
    return network.weights(model, standard)
