"""Training of the stamp model: ``python -m classifiers train stamp --data DIR``.

Networks are pretrained on simulated stamps of all classes and fine-tuned on real ones mixed with them; one forest learns from the metadata
of both, one from all metadata of real alerts. Every object counts once whatever its number of alerts, and all classes count alike except
bogus, whose labels are weak. Cross-validation in folds that share neither objects nor nights gives the calibration and the figures of the
model card.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifiers import population_stability
from classifiers.models.stamp import checkpoints, drift, network, storage
from classifiers.models.stamp.ensemble import SHARES, Ensemble, combine
from classifiers.models.stamp.preprocess import GEOMETRIES, ZTF
from classifiers.models.stamp.training import ablations as variants
from classifiers.models.stamp.training import data as tables
from classifiers.models.stamp.training import drift as training_drift
from classifiers.models.stamp.training import embedding, simulated_only
from classifiers.models.stamp.training.card import calibrated, compared, describe, markdown
from classifiers.models.stamp.training.trainer import Recipe, cross_validate, fit, pretrain_networks
from classifiers.models.stamp.training.weighting import calibrate
from classifiers.simulate.realism import judge


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line: the survey, the numbers of the recipe, and a model to be compared with."""
    parser.add_argument(
        "--survey", choices=tuple(GEOMETRIES), default=ZTF.survey, help="other surveys than ZTF are trained on simulation alone"
    )
    for name in Recipe.__slots__:
        parser.add_argument(f"--{name}", type=int, default=getattr(Recipe(), name))
    parser.add_argument("--ablations", action="store_true", help="also train the variants that the card compares with the model")
    parser.add_argument("--readable", type=Path, metavar="FILE", help="write the card as a page, in Markdown")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="add the figures of an imported checkpoint to the card")


def train(
    data: Path,
    out: Path,
    seed: int,
    survey: str = ZTF.survey,
    ablations: bool = False,
    readable: Path | None = None,
    compare: Path | None = None,
    **numbers: int,
) -> dict[str, Any]:
    """Train on the labelled alerts of a folder, write weights and model card to ``out``, return the card.

    Parameters
    ----------
    data, out : Path
        Folders of the labelled alerts (`data.read`) and of the model.
    seed : int
        Seed of all random numbers. The same seed gives the same simulation, folds and forests, and networks that differ by the rounding of
        sums in parallel threads: figures agree well within their intervals, weights not bit for bit.
    survey : str
        'ztf', or a survey without labels (`simulated_only`), which has its own default folder.
    ablations : bool
        Whether to add other recipes (`ablations`) and the realism of the simulation to the card.
    readable : Path, optional
        File for the card as a page.
    compare : Path, optional
        Imported checkpoint (`checkpoints.import_checkpoint`) whose figures on the same alerts are added to the card.
    **numbers : int
        Numbers of the `Recipe` that differ from the default.
    """
    recipe = replace(Recipe(), **numbers)
    if survey != ZTF.survey:
        return simulated_only.train(survey, data, out, recipe, seed, readable)
    everything = tables.read(data)
    table = everything.take((everything.labels != "") & everything.inputs.usable)
    first = table.take(table.first())
    pretrained = pretrain_networks(recipe, seed)
    held_out = [cross_validate(table, recipe, pretrained, seed + r) for r in range(recipe.repeats)]
    model = fit(table, recipe, pretrained, seed)
    for mode in SHARES:
        together = np.concatenate([combine(parts, mode) for parts in held_out])
        model.calibrations[mode] = calibrate(together, np.tile(first.codes, recipe.repeats))
    unadapted = Ensemble({}, pretrained.weights).network_probabilities(*network.views(first.inputs.stamps))
    card = describe(table, held_out, unadapted, asdict(recipe) | {"seed": seed})
    model.embedding = embedding.fit(pretrained.weights[0], first.inputs.stamps)
    unseen = calibrated(first, held_out[0], "full", recipe.folds, seed)
    model.reference = population_stability.reference(drift.quantities(first.inputs, unseen, model.embedding), unseen)
    card["drift_usual"] = training_drift.usual(everything, model, model.reference)
    if ablations:
        card["ablations"] = variants.evaluate_variants(table, held_out[0], recipe, pretrained, seed)
        card["realism"] = judge(data, seed)
    if compare is not None:
        other = checkpoints.Model(compare)
        card = compared(card, f"ALeRCE's {other.version}", table, other.probabilities(first.inputs))
    card = storage.save(model, np.unique(tables.digests(table.objects)), card, out)
    if readable is not None:
        readable.write_text(markdown(card))
    return card
