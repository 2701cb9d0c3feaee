"""Training for surveys without labelled alerts, ATLAS and Rubin, on simulated stamps alone. **Experimental**.

The recipe is that of ZTF up to where real alerts come in. Temperatures are raised by the ratio of real to simulated alerts that the
same network has on ZTF (`temperature_ratio`), the only survey where both can be measured. The networks read the images alone.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from broker_adapters.errors import AdapterError
from broker_adapters.packets import read as read_packet
from broker_adapters.records import Alert
from classifiers import population_stability
from classifiers.calibration import Calibration
from classifiers.models.stamp import drift, network, storage
from classifiers.models.stamp.ensemble import Ensemble
from classifiers.models.stamp.preprocess import GEOMETRIES, ZTF, Images, Inputs, from_alerts, from_table, laid
from classifiers.models.stamp.training import data as tables
from classifiers.models.stamp.training import embedding
from classifiers.models.stamp.training.card import judged
from classifiers.models.stamp.training.trainer import Recipe, Sample, Trainer, pretrain
from classifiers.models.stamp.training.weighting import calibrate
from classifiers.population_stability import ALARM
from classifiers.records import ClassifierError
from classifiers.simulate.instruments import instrument
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP

VERSION = "0.1 experimental"
#: Share of Rubin's cutouts that have the least size, and largest number of pixels per side of the others (measured on 71 packets).
LEAST_SHARE, LARGEST = 0.7, 69
#: Number of networks, and of simulated alerts that test and calibrate them.
NETWORKS, HELD_OUT = 2, 2000
#: Least number of real alerts on either side for an area under the ROC curve in the card.
FEWEST = 10
#: Simulated alerts per batch, all of one size.
CHUNK = 240


def train(survey: str, data: Path, out: Path, recipe: Recipe, seed: int, readable: Path | None = None) -> dict[str, Any]:
    """Train on simulated stamps of a survey, apply the model to the real packets in ``data/alerts/<survey>``, write it, return its card."""
    inputs, codes = simulate_batch(survey, recipe.simulated, np.random.default_rng(seed))
    test, truth = simulate_batch(survey, HELD_OUT, np.random.default_rng([seed, 1]))
    channels = inputs.stamps.shape[1]
    sample = Sample(network.views(inputs.stamps), codes, np.ones(len(codes)))
    trainer = Trainer(network.small(channels))
    numbers = tqdm(range(NETWORKS), desc=f"networks for {survey}", unit="network", disable=None)
    model = Ensemble({}, [pretrain(trainer, sample, recipe, seed + i, lambda: network.small(channels)) for i in numbers])
    fitted = calibrate(model.predict(test, "image_only"), truth)
    ratio = temperature_ratio(data, seed)
    model.calibrations["image_only"] = Calibration(fitted.temperature * ratio, tuple(b / ratio for b in fitted.bias))
    model.embedding = embedding.fit(model.weights[0], test.stamps)
    said = model.predict(test, "image_only")
    model.reference = population_stability.reference(drift.quantities(test, said, model.embedding), said)
    card = {
        "classifier": f"{storage.SHIPPED.name}_{survey}",
        "version": VERSION,
        "recipe": asdict(recipe) | {"networks": NETWORKS, "seed": seed, "temperature_ratio": ratio},
        "simulated": judged([STAMP[c] for c in truth], said),
        "real": on_real_alerts(survey, data, model, model.reference),
    }
    card = storage.save(model, np.zeros(0, np.uint64), card, storage.shipped(survey) if out == storage.SHIPPED else out)
    if readable is not None:
        readable.write_text(markdown(card))
    return card


def temperature_ratio(data: Path, seed: int) -> float:
    """Ratio of the temperatures of a ZTF network without fine-tuning, on real alerts of a folder and on simulated ones; at least 1.

    It is 1 if the folder has no labelled ZTF alerts.
    """
    model = storage.load()[0]
    if model.embedding is None or not (data / tables.STAMPS).is_file():
        return 1.0
    alone = Ensemble({}, [model.embedding.weights])
    table = tables.read(data)
    table = table.take((table.labels != "") & table.inputs.usable)
    first = table.take(table.first())
    fresh, codes = simulate_batch(ZTF.survey, HELD_OUT, np.random.default_rng([seed, 2]))
    temperatures = [calibrate(alone.predict(i, "image_only"), c).temperature for i, c in ((first.inputs, first.codes), (fresh, codes))]
    return max(temperatures[0] / temperatures[1], 1.0)


WHAT = """\
**Experimental, and off unless `TOM_ALERCE['CLASSIFIERS']` names it.** Two small networks that were trained on simulated stamps of this
survey alone and use the images only. No labelled alerts of this survey were available: how good it is on real ones is **not known**.
The same recipe, on real ZTF alerts, has a balanced accuracy of {ztf:.2f} over the strong classes (*networks before any real alert* in the
card of `stamp`), and the simulation is better for ZTF's camera. {alerts} simulated alerts; {size:.1f} MB, SHA-256 `{digest}…`."""
SIMULATED = """\
**On {n} other simulated alerts**: balanced accuracy {accuracy:.2f} ({recalls}), expected calibration error {ece:.3f},
after the temperature was raised by a factor of {ratio:.2f}, which a ZTF network needs from simulated to real alerts."""


def markdown(card: dict[str, Any]) -> str:
    """Page of the card, as Markdown."""
    simulated, recipe, name = card["simulated"], card["recipe"], card["classifier"]
    ztf = storage.read_card()["cross_validation"]["networks before any real alert"]["balanced_accuracy_strong"]
    what = {"ztf": ztf, "alerts": recipe["simulated"], "size": card["bytes"] / 1e6, "digest": card["sha256"][:16]}
    unseen = {
        "n": simulated["n"],
        "accuracy": simulated["balanced_accuracy"],
        "ece": simulated["ece"],
        "ratio": recipe["temperature_ratio"],
    }
    lines = [
        f"# {name} {card['version']}",
        "",
        f"Written by `python -m classifiers train stamp --survey {name.partition('_')[2]} --readable FILE`; do not edit.",
        "",
        WHAT.format(**what),
        "",
        SIMULATED.format(**unseen, recalls=", ".join(f"{c} {simulated['recall'][c]:.2f}" for c in STAMP)),
        "",
        *_seen(card["real"]),
    ]
    return "\n".join(lines) + "\n"


def _seen(real: dict[str, Any]) -> list[str]:
    """Paragraphs on unlabelled real alerts."""
    if not real["n"]:
        return ["**On real alerts**: none were available."]
    classes = ", ".join(f"{c} {share:.0%}" for c, share in real["classes"].items())
    scored, moving = real["scored"], real["asteroids"]
    few = min(scored["real"], scored["n"] - scored["real"]) < FEWEST
    area = "" if few else f" An area under the ROC curve of {real['auc_real']:.2f} separates the {scored['real']} of "
    area += f"{scored['n']} that the survey scores as real from the others by 1 − p(bogus)." if area else ""
    known = f" Of {moving['n']} known solar-system objects it calls {moving['right']} asteroid." if moving["n"] else ""
    above = [f"{name} {psi:.1f}" for name, psi in real["psi"].items() if psi > ALARM]
    drifted = (
        f"{len(above)} of {len(real['psi'])} quantities are not distributed as in the simulation: {', '.join(above)}" if above else "none"
    )
    return [
        f"**On real alerts** ({real['n']}, unlabelled): {classes}; mean confidence {real['confidence']:.2f}.{area}{known}",
        "",
        f"**Drift from the simulation** (population stability index above {ALARM:g}; few alerts make it uncertain): {drifted}.",
    ]


def simulate_batch(survey: str, n: int, rng: np.random.Generator) -> tuple[Inputs, Any]:
    """Simulate n alerts of a survey, equally many of each class; returned with their codes."""
    geometry, codes = GEOMETRIES[survey], np.arange(n) % len(STAMP)
    least = instrument(survey).size if len(set(geometry.sides)) == 1 else geometry.sides[0]
    stamps: list[Images] = []
    for start in tqdm(range(0, n, CHUNK), desc=f"simulated {survey}", unit="batch", disable=None):
        size = least if geometry.sides[0] == geometry.sides[1] or rng.random() < LEAST_SHARE else int(rng.integers(least, LARGEST + 1))
        found = simulate([STAMP[c] for c in codes[start : start + CHUNK]], rng, survey, size)
        stamps.append(laid(found.stamps[:, list(geometry.images)]))
    return from_table(np.concatenate(stamps), {}, ()), codes


def on_real_alerts(survey: str, data: Path, model: Ensemble, expected: population_stability.Reference) -> dict[str, Any]:
    """Apply the model to the real packets of a folder: classes, confidence, drift, agreement with the survey's own scores."""
    alerts = [a for a in packets(data / "alerts" / survey) if a.survey == survey]
    inputs = from_alerts(alerts, (), GEOMETRIES[survey])
    alerts = [a for a, good in zip(alerts, inputs.usable.tolist(), strict=True) if good]
    if not alerts:
        return {"n": 0}
    inputs = inputs.take(inputs.usable)
    found = drift.compared(inputs, model, expected, "image_only")
    p = model.predict(inputs, "image_only")
    score, real = np.array([real_score(a) for a in alerts]), 1 - p[:, STAMP.index("bogus")]
    scored = np.isfinite(score)
    good = score[scored] > 0.5
    moving = np.array([a.moving for a in alerts])
    return found | {
        "confidence": round(float(p.max(axis=1).mean()), 3),
        "scored": {"n": int(scored.sum()), "real": int(good.sum())},
        "auc_real": round(float(roc_auc_score(good, real[scored])), 3) if 0 < good.sum() < len(good) else None,
        "asteroids": {"n": int(moving.sum()), "right": int((p[moving].argmax(axis=1) == STAMP.index("asteroid")).sum())},
    }


def packets(folder: Path) -> list[Alert]:
    """Read the alerts of a folder of packets; unreadable files are skipped.

    Raises
    ------
    ClassifierError
        There is no such folder.
    """
    if not folder.is_dir():
        raise ClassifierError(f"{folder} is not a folder")
    found = []
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        try:
            found.append(read_packet(path.read_bytes()))
        except AdapterError:
            continue
    return found


def real_score(alert: Alert) -> float:
    """Probability by the survey that an alert is real: Rubin's ``reliability``; the part of ATLAS's nine scores that is of real kinds."""
    if alert.survey == "lsst":
        reliability = alert.metadata.get("reliability")
        return np.nan if reliability is None else float(reliability)
    kinds = {name: float(alert.metadata.get(name) or 0) for name in ("Pvr", "Ptr", "Pmv", "Pkn", "Pno", "Pbn", "Pcr", "Pxt", "Psc")}
    total, real = sum(kinds.values()), sum(kinds[name] for name in ("Pvr", "Ptr", "Pmv", "Pkn"))
    return real / total if total else np.nan
