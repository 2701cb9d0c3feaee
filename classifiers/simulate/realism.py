"""Realism of simulated stamps: ``python -m classifiers.simulate.realism --data DIR [--json]``.

For each class a random forest is trained to separate real alerts from simulated ones, by summary statistics of the images and by the
metadata; its cross-validated area under the ROC curve is 0.5 if it cannot and 1 if it always can. ``DIR`` holds ``ztf_stamps.npz``
(candid, stamps) and ``ztf_stamps_meta.parquet`` (candid, objectId, stamp_class and the columns of the candidate), in the same order.

``matched`` simulates each class under the conditions of its real alerts (sky, noise, seeing, zero point measured on them), so that the
result depends on the source and not on the few nights of the real alerts; otherwise conditions are drawn as for training.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from classifiers.records import ClassifierError
from classifiers.simulate._psf import Images
from classifiers.simulate._statistics import statistics
from classifiers.simulate.instruments import instrument
from classifiers.simulate.render import Conditions, ordinary
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP

Floats = NDArray[np.float64]

#: Metadata by which real and simulated alerts are compared: ALeRCE's without real-bogus scores and positions.
METADATA = (
    "sgscore1", "sgscore2", "sgscore3", "distpsnr1", "distpsnr2", "distpsnr3", "isdiffpos", "fwhm", "magpsf", "sigmapsf", "diffmaglim",
    "distnr", "magnr", "classtar", "ndethist", "ncovhist", "chinr", "sharpnr",
)  # fmt: skip
#: ZTF's mark for "none" (schema 4.02), and the distance of "no object" in old packets.
SENTINEL, NO_OBJECT = -999.0, 100.0
#: ``fwhm`` of a star over its real width: measured on bright asteroids.
FWHM_RATIO = 1.12
FOLDS = 5


def read(data: Path) -> tuple[Images, pd.DataFrame]:
    """Read stamps and metadata of labelled alerts, the earliest of each object."""
    try:
        frame = pd.read_parquet(data / "ztf_stamps_meta.parquet")
        stamps = np.load(data / "ztf_stamps.npz")["stamps"]
    except (OSError, KeyError, ValueError) as error:
        raise ClassifierError(f"{data} holds no labelled stamps: {error}") from error
    frame = frame.reset_index(drop=True).sort_values("jd", kind="stable")
    frame = frame[frame.stamp_class.isin(STAMP)].drop_duplicates("objectId")
    return stamps[frame.index.to_numpy()], frame


def table(columns: Any) -> Floats:
    """The metadata (n, k) of a frame or of simulated columns, NaN for none."""
    values = {name: columns[name] for name in METADATA if name != "isdiffpos"}
    values["isdiffpos"] = np.isin(np.asarray(columns["isdiffpos"], str), ("t", "1"))
    stacked = np.column_stack([np.asarray(values[name], float) for name in METADATA])
    stacked[stacked == SENTINEL] = np.nan
    far = [METADATA.index(f"distpsnr{i}") for i in (1, 2, 3)]
    stacked[:, far] = np.where(stacked[:, far] > NO_OBJECT, np.nan, stacked[:, far])
    return stacked


def conditions(stamps: Images, frame: pd.DataFrame, rng: np.random.Generator) -> Conditions:
    """Conditions of real alerts, from their sky, noise, width and zero point."""
    names, values = statistics(stamps)
    column = dict(zip(names, values.T, strict=True))
    drawn = ordinary(instrument("ztf"), len(frame), rng)
    zero_point = frame.magzpsci.to_numpy(float)
    return drawn.replace(
        seeing=np.clip(frame.fwhm.to_numpy(float) / FWHM_RATIO, 1.5, 5.0),
        zero_point=np.where(np.isfinite(zero_point) & (zero_point > 0), zero_point, drawn.zero_point),
        noise=np.maximum(column["difference_noise"], 1.0),
        template_noise=np.maximum(column["template_noise"], 0.05),
        background=np.maximum(column["science_sky"], 1.0),
    )


def separability(real: Floats, simulated: Floats, seed: int, trees: int = 300) -> float:
    """Cross-validated area under the ROC curve of a classifier that separates the rows of two matrices."""
    model = RandomForestClassifier(n_estimators=trees, min_samples_leaf=2, random_state=seed)
    truth = np.repeat([1, 0], [len(real), len(simulated)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    score = cross_val_predict(model, np.vstack([real, simulated]), truth, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(truth, score))


def _epochs(real: Floats, seed: int) -> float:
    """Separability of the earlier half of real alerts, in the order of time, from the later."""
    half = len(real) // 2
    return separability(real[:half], real[half:], seed)


def judge(data: Path, seed: int = 0, matched: bool = False) -> dict[str, float]:
    """``auc_images_CLASS``, ``auc_metadata_CLASS`` and the number of real alerts ``n_CLASS`` of every class that has enough of them.

    ``auc_epochs_CLASS`` is for comparison: by their images, the separability of earlier from later real alerts.
    """
    stamps, frame = read(data)
    result: dict[str, float] = {}
    for name in STAMP:
        rows = np.flatnonzero(frame.stamp_class == name)
        if len(rows) < 2 * FOLDS:
            continue
        rng = np.random.default_rng(seed)
        how = conditions(stamps[rows], frame.iloc[rows], rng) if matched else None
        fake = simulate([name] * len(rows), rng, conditions=how)
        result[f"n_{name}"] = len(rows)
        result[f"auc_images_{name}"] = round(separability(statistics(stamps[rows])[1], statistics(fake.stamps)[1], seed), 3)
        result[f"auc_epochs_{name}"] = round(_epochs(statistics(stamps[rows])[1], seed), 3)
        result[f"auc_metadata_{name}"] = round(separability(table(frame.iloc[rows]), table(fake.columns), seed), 3)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how separable each class is; exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.simulate.realism", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--matched", action="store_true", help="simulate under the conditions of the real alerts")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    options = parser.parse_args(arguments)
    try:
        result = judge(options.data, options.seed, options.matched)
    except ClassifierError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:24s} {value:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
