"""Model card as a page: ``python -m classifiers.models.lightcurve.training.card > docs/model-cards/lightcurve.md``.

All figures are from ``card.json`` beside the weights, which `train` writes.
"""

from __future__ import annotations

from typing import Any

from classifiers.models.lightcurve import hierarchy
from classifiers.models.lightcurve.series import MINIMUM
from classifiers.models.lightcurve.training.scores import COMMON, YOUNG
from classifiers.taxonomy import LIGHTCURVE, LIGHTCURVE_CLASSES

HEAD = """# Light-curve classifier, version {version}

Written by `python -m classifiers.models.lightcurve.training.card` from `classifiers/weights/lightcurve/card.json`; do not edit.

**Model.** A hierarchical classifier of {classes} classes: transient, stochastic or periodic first, then the classes of each. Balanced
random forests (imbalanced-learn) for the stochastic and the periodic level; gradient-boosted trees (scikit-learn) for the first and the
transient one, where they are better by more than the error, and five dense networks beside the trees of the latter (ablations below).
Calibrated by temperature and bias on held-out objects. The probabilities are multiplied by the likelihood of the environment. Stored as
plain arrays, {size:.1f} MB, SHA-256 `{sha256}`,
which is checked at loading.
Seed {seed}, {rows} training rows; `python -m classifiers train lightcurve --data DIR` makes the same file again.

**Input.** The merged light curve of an object in two band families: g (ZTF g, LSST g, ATLAS c) and r (ZTF r, LSST r, ATLAS o), at
least {minimum} detections in the two together; with fewer it is not classified. A forced measurement of 5 sigma counts as a
detection, a weaker one as a limit. Other bands are not used.

Environment, where known: the position (Galactic latitude), and from ZTF's packets `distnr`, `sgscore1`, `distpsnr1` and the
Pan-STARRS magnitudes of the nearest source. Each is a likelihood ratio of the classes, and exactly one where unknown, so that merely
having a packet favours no class. Latitudes are published shapes, not fitted, since the labelled objects lie in few fields.
"""

DATA = """## Training data

`--data DIR` is a folder with `object_labels.csv` (objectId, lc_class), `lightcurves.parquet` (objectId, source, survey, kind, mjd, band,
mag, magerr, flux, fluxerr, flux_unit, det), and, if they exist, `ztf_alert_history.parquet` (the packets' own histories: jd, fid, magpsf,
sigmapsf, isdiffpos, rb, distnr, magnr, diffmaglim) and `alerce_periodic_features.parquet` (ALeRCE's features of periodic variables, with
lc_class).

The environment is from `ztf_stamps_meta.parquet` (the packets' own fields) and from the positions in the other tables.

Every kind of photometry is converted to what an alert stream would have sent. Difference magnitudes without a recorded sign (`alert-dif`)
are taken as **positive** and without a reference source: right for supernovae, wrong for half of the points of the few variables that
come so; therefore 30 % of the cut and of the simulated light curves of variables are made so too, so that a missing sign reveals no class.
Total magnitudes become differences to their median, which is the reference flux; below 5 sigma they become limits. Each object enters
whole and cut at 20, 40 and 80 days, the rare supernovae also fainter, noisier and thinned; 30 % of the cut transients are put on a
reference source as bright as real hosts. Published superluminous supernovae are used for training only. Simulated objects are seen as in
the 30 days that come with an alert (half of them) or longer, against a reference taken a month to four years before, so that a slow
variable stays on one side of it, as real ones do. A random forest separates real from simulated 30 days of a class with an area under
the ROC curve of .74 (CV/Nova), .80 (Blazar, YSO), .86 (E, LPV) and .92 (RRL); .89, .97, .90 where the reference is of the same nights
(measured before other surveys than ZTF were simulated).

Of the simulated objects 60 % are watched by ZTF alone, 15 % by ZTF and ATLAS, 8 % by ATLAS, 8 % by ZTF and LSST, 9 % by LSST, whatever
their class; one in ten copies of a real transient is what ATLAS or LSST, or they and ZTF, would have seen of its fitted model. Cadence,
depth and errors are those of real light curves (`classifiers.simulate.surveys`).

Objects by class and origin (`vector`: ALeRCE's features, for the periodic level alone; `simulated`: `classifiers.simulate.lightcurves`,
and stars made after the vectors; no figure below is of simulated objects):
"""

#: Measured while the recipe was chosen, on the folds of the quoted figures; a training does not measure it again.
ABLATIONS = """Ablations, by cross-validation with the same folds on which the figures above are quoted. About 30 variants were compared
there before one was chosen, and the simulation was improved after looking at summaries and some light curves of these
objects: expect a little less of objects outside this set. One standard error is about .013 of the transients' macro F1
and .017 of the first level's macro recall; training sets that differ in nothing but their random copies differ by .01. What this
section says was measured while the recipe was chosen and is not measured again by a training; the figures of ATLAS and of tidal
disruptions are of models before the newest features and the networks.

| | | |
|---|---|--:|
| macro F1 of transients, ZTF alone simulated | balanced random forest | .649 |
| | forest and boosted trees averaged | .677 |
| | boosted trees | .680 |
| | with the families `tail`, `fleet` and `colour_variation` | .683 |
| | ten kinds of supernovae (IIn, IIb, Ic-BL, ...) as targets, then added up | .674 |
| the same, other surveys simulated too | boosted trees, two seeds | .673 |
| | seven dense networks | .664 |
| | both averaged with equal weights (as shipped, with one seed and five networks, .681) | .687 |
| macro recall of the first level, ZTF alone simulated | balanced random forest | .868 |
| | forest and boosted trees averaged | .895 |
| | boosted trees | .903 |
| | without the families that do not help it by themselves (`variability`, `drw`, `mhps`, `tail`) | .898 |
| | a dense network; and boosted trees (.895) and it averaged | .883; .897 |
| the same, other surveys simulated too | boosted trees | .898 |
| | with powers and random walk of the difference flux and with the lens | .902 |
| the same, light curve alone, equal priors | references from the nights of the light curve, signs always known | .843 |
| | references from before, signs and references missing at times | .860 |
| | and the Galactic latitude | .866 |
| | and the nearest catalogue source with its colours | .889 |
| | and both, and the nearest reference source | .893 |

That networks help the trees, by .013 with an error of .006 of the difference, by .017 (.011) within 20 days, .010 (.007) within 40 and .018
(.007) within 80, was seen with any two or more of them (.005 to .015 for whole light curves). A higher weight of the rare classes gains
macro recall of the first level and loses macro F1: with equal priors .904 and .650.

Real light curves of ATLAS, by models that saw none of these objects; share of right branches when ZTF alone was simulated, and since:

| | ZTF alone simulated | all three |
|---|--:|--:|
| 39 SNIa, ATLAS alone, from 40 days before the peak to 100 after it | .41 | .62 |
| the same, up to 5 days after the peak | .36 | .44 |
| 40 SNIa, tables of many years of ATLAS's forced photometry | .13 | .25 |
| 46 SLSN, ATLAS alone; ATLAS and ZTF merged; ZTF alone | .91; .87; .89 | 1.0; .94; .96 |
| 13 eclipsing binaries and long-period variables, ATLAS and ZTF merged (totals; forced) | .77; .85 | .69; .92 |

Mean area of leaving a class out (below): isolation forest .58, Mahalanobis distance .61, proximities in a random forest .64, doubt of a
classifier .69, doubt and distance together .70. Of what is none of the classes, 86 tidal disruptions are told from held-out supernovae
with an area of .90 (isolation: .83), within 40 days of .86 (.70), within 20 of .76 (.58).
"""

TRUST = """## Where it must not be trusted

- **Stochastic classes.** There are about a hundred real stochastic light curves, most of them one packet's history of 30 days; QSO, AGN,
  Blazar, YSO and CV/Nova are known to the model mainly by simulation. Their figures above say how far that carries.
- **SNIbc and SLSN** are classified without redshift or host; half of those classified so are something else.
- **Environment** was fitted to a few hundred objects with packets; classes with the same environment (a quasar and a star of the same
  colour) differ by their light curves alone. A supernova in the nucleus of a compact galaxy looks like an active one.
- **CV/Nova**: dwarf novae, nova-likes, polars and novae are one class; most real ones here are a single eruption without a reference.
- **Periodic subclasses of young objects**: with days to weeks of data no period exists; only the first level means something.
- **Rubin/LSST**: known by simulation alone; LSST's own light curves were not available in numbers.
- **ATLAS alone**: a third of the supernovae that only it saw are taken for variables (above). Ask it for forced photometry of the season
  alone: tables of many years hold false detections from changes of the template, and three in four are misread.
- **Priors**: probabilities are calibrated for the class mixture of the training set tempered (see `train.PRIOR`), not for that of a
  survey: spectroscopic samples are bright and hold many SNIa.
- About 1 % of the catalogue labels are wrong.
- Transient sources that are none of the 15 classes (TDE, kilonovae, microlensing) are forced into them; see the anomaly score.
"""


def markdown(card: dict[str, Any]) -> str:
    """Page of a model card, as Markdown."""
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
        *_apart(card),
        *_importance(card["importance"]),
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
    lines += ["", "Recall of the branches by number of detections:", "", "| | " + " | ".join(LIGHTCURVE) + " |", "|---|" + "--:|" * 3]
    for name, of in cv["top_by_detections"].items():
        told = (f"{of[b]['recall']:.3f} (n = {of[b]['n']})" if of[b]["n"] else "-" for b in LIGHTCURVE)
        lines.append(f"| {name} | " + " | ".join(told) + " |")
    lines += ["", "Share of right answers (15 classes) by the photometry that an object came from:", "", "| | n | right |", "|---|--:|--:|"]
    lines += [f"| {kind} | {found['n']} | {found['accuracy']:.3f} |" for kind, found in cv["by_photometry"].items()]
    lines += ["", "Reliability of the winning class:", "", "| confidence | share right | n |", "|--:|--:|--:|"]
    return lines + [f"| {b['confidence']:.2f} | {b['accuracy']:.2f} | {b['n']} |" for b in cv["reliability"]] + [""]


def _confusion(cv: dict[str, Any]) -> list[str]:
    present = [i for i, c in enumerate(cv["classes"]) if cv["support"][c]]
    lines = ["Confusion (rows: true class):", "", "| | " + " | ".join(cv["classes"]) + " |", "|---|" + "--:|" * len(cv["classes"])]
    return lines + [f"| {cv['classes'][i]} | " + " | ".join(str(n or "") for n in cv["confusion"][i][:-1]) + " |" for i in present]


def _apart(card: dict[str, Any]) -> list[str]:
    with_all, alone = card["cross_validation"], card["light_curve_alone"]
    lines = ["## With and without the environment", "", "| | light curve alone | with environment |", "|---|--:|--:|"]
    for name in ("macro_f1", "top_macro_recall", "macro_f1_transient", "balanced_accuracy"):
        lines.append(f"| `{name}` | {_interval(alone[name], alone['ci'][name])} | {_interval(with_all[name], with_all['ci'][name])} |")
    for branch, recall in alone["top_recall"].items():
        lines.append(f"| recall of {branch} | {recall:.3f} | {with_all['top_recall'][branch]:.3f} |")
    return [*lines, "", ABLATIONS]


def _importance(found: dict[str, dict[str, float]]) -> list[str]:
    families = list(dict.fromkeys(family for level in found.values() for family in level))
    lines = [
        "## Importance",
        "",
        "Rise of the cross-entropy (nats, classes weighted alike) when a family of features is shuffled among held-out objects of one",
        "fold; families are correlated, so that the values do not add up:",
        "",
        "| family | " + " | ".join(found) + " |",
        "|---|" + "--:|" * len(found),
    ]
    return lines + [f"| {f} | " + " | ".join(f"{v[f]:.3f}" if f in v else "" for v in found.values()) + " |" for f in families] + [""]


def _outliers(areas: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    found = {(branch, name): area for branch, classes in areas.items() for name, area in classes.items()}
    lines = [
        "## Anomaly score",
        "",
        "Area under the ROC curve of separating a class that was left out of its branch from held-out objects of the others (0.5: chance);",
        f"the mean is {sum(a['area'] for a in found.values()) / max(len(found), 1):.2f}. Stochastic and periodic classes are in good part",
        "simulated; the last column is for real objects alone where there are enough:",
        "",
        "| branch | class left out | area | of real ones |",
        "|---|---|--:|--:|",
    ]
    for (branch, name), area in found.items():
        lines.append(f"| {branch} | {name} | {area['area']:.2f} | " + (f"{area['real']:.2f} |" if "real" in area else "- |"))
    return [*lines, ""]


if __name__ == "__main__":
    print(markdown(hierarchy.load(hierarchy.SHIPPED)[1]), end="")
