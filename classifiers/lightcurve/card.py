"""The model card as a page: ``python -m classifiers.lightcurve.card > docs/model-cards/lightcurve.md``.

Every figure on it is from ``card.json`` beside the weights, which `train` wrote.
"""

from __future__ import annotations

from typing import Any

from ..taxonomy import LIGHTCURVE, LIGHTCURVE_CLASSES
from . import forest
from .evaluation import COMMON, SHIPPED, YOUNG
from .samples import MINIMUM

HEAD = """# Light-curve classifier, version {version}

Written by `python -m classifiers.lightcurve.card` from `classifiers/weights/lightcurve/card.json`; do not edit.

**What it is.** A hierarchical forest over {classes} classes: transient, stochastic or periodic first, then the classes of each. Balanced
random forests (imbalanced-learn), on the first and the transient level averaged with gradient-boosted trees (scikit-learn); calibrated by
temperature and bias on held-out objects. Stored as plain arrays, {size:.1f} MB, SHA-256 `{sha256}`, checked when it is loaded. Seed
{seed}, {rows} training rows.

**What it takes.** The merged light curve of an object in two band families: g (ZTF g, LSST g, ATLAS c) and r (ZTF r, LSST r, ATLAS o), at
least {minimum} detections in the two together; with fewer the answer is "cannot say". A forced measurement of 5 sigma counts as a
detection, a weaker one as a limit. Other bands are not used.
"""

DATA = """## Training data

`--data DIR` is a folder with `object_labels.csv` (objectId, lc_class), `lightcurves.parquet` (objectId, source, survey, kind, mjd, band,
mag, magerr, flux, fluxerr, flux_unit, det), and, if they exist, `ztf_alert_history.parquet` (the packets' own histories: jd, fid, magpsf,
sigmapsf, isdiffpos, rb, distnr, magnr, diffmaglim) and `alerce_periodic_features.parquet` (ALeRCE's features of periodic variables, with
lc_class).

Every kind of photometry is turned into what an alert stream would have sent. Difference magnitudes without a recorded sign (`alert-dif`)
are taken as **positive** and without a reference source: right for supernovae, wrong for half of the points of the few variables that
come so. Total magnitudes become differences to their median with that as reference flux; what is below 5 sigma becomes a limit. Each
object enters whole and cut at 20, 40 and 80 days, the rare supernovae also fainter, noisier and thinned; 30 % of the cut transients are
put on a reference source as bright as real hosts. Published superluminous supernovae serve for training alone.

Objects by class and origin (`vector`: ALeRCE's features, for the periodic level alone; `simulated`: `classifiers.simulate.lightcurves`,
and stars made after the vectors; no figure below is of simulated objects):
"""

TRUST = """## Where it must not be trusted

- **Stochastic classes.** There are about a hundred real stochastic light curves, most of them one packet's history of 30 days; QSO, AGN,
  Blazar, YSO and CV/Nova are known to the model mainly by simulation. Their figures above say how far that carries.
- **SNIbc and SLSN** are told without redshift or host; half of what is called so is something else.
- **Periodic subclasses of young objects**: with days to weeks of data no period exists; only the first level means something.
- **Rubin/LSST**: trained on ZTF and SDSS depth; LSST's own light curves were not available in numbers. ATLAS: see `by_photometry`,
  forced.
- **Priors**: probabilities are calibrated for the class mixture of the training set tempered (see `train.PRIOR`), not for that of a
  survey: spectroscopic samples are bright and hold many SNIa.
- About 1 % of the catalogue labels are wrong.
- Transient sources that are none of the 15 classes (TDE, kilonovae, microlensing) are forced into them; see the anomaly score.
"""


def markdown(card: dict[str, Any]) -> str:
    """The page of a model card."""
    cv = card["cross_validation"]
    levels = (f"- {name}: {len(level['columns'])} features, calibration {level['calibration']}" for name, level in card["levels"].items())
    head = HEAD.format(**card, classes=len(LIGHTCURVE_CLASSES), size=card["bytes"] / 1e6, minimum=MINIMUM)
    parts = [
        head,
        "\n".join(levels),
        "",
        DATA,
        *_origins(card["objects"]),
        "",
        *_figures(cv),
        *_confusion(cv),
        "",
        *_outliers(card["outliers"]),
        TRUST,
    ]
    return "\n".join(parts)


def _origins(objects: dict[str, dict[str, int]]) -> list[str]:
    origins = sorted(objects)
    lines = ["| class | " + " | ".join(origins) + " |", "|---|" + "--:|" * len(origins)]
    return lines + [f"| {c} | " + " | ".join(str(objects[o].get(c, 0)) for o in origins) + " |" for c in LIGHTCURVE_CLASSES]


def _interval(value: float | None, ci: list[float | None]) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" ({ci[0]:.3f} to {ci[1]:.3f})" if ci[0] is not None else "")


def _figures(cv: dict[str, Any]) -> list[str]:
    ci, top = cv["ci"], [f"{branch} {recall:.3f}" for branch, recall in cv["top_recall"].items()]
    lines = [
        "## Figures",
        "",
        "By 5-fold cross-validation on real objects, all copies of an object in one fold; 95 % intervals by bootstrap over objects. "
        f"n = {cv['n']}.",
        "",
        f"- `macro_f1_transient` (four classes of real transients): **{_interval(cv['macro_f1_transient'], ci['macro_f1_transient'])}**",
        f"- the same within {YOUNG:g} days of the first detection: **"
        f"{_interval(cv['macro_f1_transient_20d'], ci['macro_f1_transient_20d'])}** (n = {cv['transient_20d']['n']})",
        f"- `macro_f1` of the classes with at least {COMMON} real objects ({', '.join(cv['classes_in_macro_f1'])}): "
        f"**{_interval(cv['macro_f1'], ci['macro_f1'])}**",
        f"- `top_macro_recall`: **{_interval(cv['top_macro_recall'], ci['top_macro_recall'])}** ({', '.join(top)})",
        f"- precision of SNIa: **{cv['snia_precision']:.3f}**; expected calibration error {cv['ece']:.3f}",
        f"- ALeRCE's vectors of periodic stars, six classes: {cv['alerce_vectors']['macro_f1'] or float('nan'):.3f}"
        f" (n = {cv['alerce_vectors']['n']}); no light curves, so apart",
        "",
        "| class | real objects | recall | precision | F1 |",
        "|---|--:|--:|--:|--:|",
    ]
    for c in LIGHTCURVE_CLASSES:
        if cv["support"][c]:
            lines.append(f"| {c} | {cv['support'][c]} | {cv['recall'][c]:.3f} | {cv['precision'][c]:.3f} | {cv['f1'][c]:.3f} |")
    for title, key in (("days since the first detection", "by_days"), ("number of detections", "by_detections")):
        lines += [
            "",
            f"Transients by {title}:",
            "",
            "| | n | macro F1 | " + " | ".join(LIGHTCURVE["Transient"]) + " |",
            "|---|--:|--:|" + "--:|" * 4,
        ]
        for name, found in cv[key].items():
            f1 = " | ".join("-" if found["f1"][c] is None else f"{found['f1'][c]:.3f}" for c in LIGHTCURVE["Transient"])
            lines.append(f"| {name} | {found['n']} | {_interval(found['macro_f1'], found['ci'])} | {f1} |")
    lines += ["", "Share of right answers (15 classes) by the photometry that an object came from:", "", "| | n | right |", "|---|--:|--:|"]
    lines += [f"| {kind} | {found['n']} | {found['accuracy']:.3f} |" for kind, found in cv["by_photometry"].items()]
    lines += ["", "Reliability of the winning class:", "", "| confidence | share right | n |", "|--:|--:|--:|"]
    return lines + [f"| {b['confidence']:.2f} | {b['accuracy']:.2f} | {b['n']} |" for b in cv["reliability"]] + [""]


def _confusion(cv: dict[str, Any]) -> list[str]:
    present = [i for i, c in enumerate(cv["classes"]) if cv["support"][c]]
    lines = ["Confusion (rows: true class):", "", "| | " + " | ".join(cv["classes"]) + " |", "|---|" + "--:|" * len(cv["classes"])]
    return lines + [f"| {cv['classes'][i]} | " + " | ".join(str(n or "") for n in cv["confusion"][i][:-1]) + " |" for i in present]


def _outliers(areas: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "## Outliers",
        "",
        "Area under the ROC curve of telling a class that the isolation forest of its branch never saw from the others (0.5: by chance;",
        "stochastic and periodic classes are in good part simulated):",
        "",
        "| branch | class left out | area |",
        "|---|---|--:|",
    ]
    return lines + [f"| {branch} | {name} | {area:.2f} |" for branch, found in areas.items() for name, area in found.items()] + [""]


if __name__ == "__main__":
    print(markdown(forest.load(SHIPPED)[1]), end="")
