"""ALeRCE's published stamp networks: TensorFlow checkpoints of Carrasco-Davis et al. 2021 as classifiers of their own.

Their weights are not ours to ship: ``python -m classifiers import-checkpoint PATH`` stores a copy in a safe format, which this module,
named in the settings, then serves. Two variants exist: stamps with 26 metadata features, and stamps alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from numpy.typing import NDArray

from broker_adapters.records import SkyObject
from classifiers.keras_loader import keras
from classifiers.models.stamp import network, storage
from classifiers.models.stamp.preprocess import Floats, Inputs, first_alert, from_alerts
from classifiers.records import Classification, WeightsError
from classifiers.taxonomy import STAMP

#: Folder of the imported checkpoint, unless the environment variable names another.
FOLDER = storage.SHIPPED.parent / "alerce_stamp"
VARIABLE = "ALERCE_STAMP_WEIGHTS"

INF = np.inf
#: Name, lower and upper clip, mean and standard deviation of ALeRCE's training set, in the order of the network's input. (The mean of
#: ``isdiffpos`` should have been .33; the network was trained with 0.) ``isdiffpos`` is 1 where *negative*.
FEATURES = (
    ("sgscore1", -1, INF, 0.70413, 0.37992), ("distpsnr1", -1, INF, 3.94112, 5.94969), ("sgscore2", -1, INF, 0.46222, 0.42613),
    ("distpsnr2", -1, INF, 10.89381, 7.15984), ("sgscore3", -1, INF, 0.39137, 0.52818), ("distpsnr3", -1, INF, 13.66545, 8.04250),
    ("isdiffpos", -INF, INF, 0.0, 0.47113), ("fwhm", -INF, 10, 2.61777, 1.62915), ("magpsf", -INF, INF, 18.91661, 1.40840),
    ("sigmapsf", -INF, INF, 0.14153, 0.06009), ("ra", -INF, INF, 181.082, 96.2359), ("dec", -INF, INF, 22.1540, 24.4272),
    ("diffmaglim", -INF, INF, 20.21665, 0.60187), ("rb", -INF, INF, 0.61476, 0.22005), ("distnr", -1, INF, 2.90022, 4.18806),
    ("magnr", -1, INF, 18.66817, 3.17381), ("classtar", -INF, INF, 0.85664, 0.20315), ("ndethist", -INF, 20, 5.34407, 6.55263),
    ("ncovhist", -INF, 3000, 291.405, 424.519), ("ecl_lat", -INF, INF, 21.68321, 27.23278), ("ecl_long", -INF, INF, 166.734, 95.0307),
    ("gal_lat", -INF, INF, 16.9965, 38.8846), ("gal_long", -INF, INF, 140.104, 84.2347), ("non_detections", -INF, 2000, 273.550, 390.173),
    ("chinr", -1, 15, 1.17980, 1.51237), ("sharpnr", -1, 1.5, -0.02865, 0.20232),
)  # fmt: skip
#: Fields of the candidate that the features are computed from.
FIELDS = tuple(name for name, *_ in FEATURES if name not in ("ecl_lat", "ecl_long", "gal_lat", "gal_long", "non_detections"))

_LAYERS = ("conv_1", "conv_2", "conv_3", "conv_4", "conv_5", "dense_1", "batchnorm", "dense_2", "dense_3", "output_logits")
_PARTS = ("kernel", "gamma", "bias", "beta", "moving_mean", "moving_variance")


def features(metadata: dict[str, Floats]) -> NDArray[np.float32]:
    """Normalised features, shape (n, 26), from the fields `FIELDS`.

    A missing value becomes the lower clip, as -999 does in ALeRCE, and NaN where there is no lower clip.
    """
    ra, dec = np.nan_to_num(metadata["ra"]), np.nan_to_num(metadata["dec"])
    sky = SkyCoord(ra * units.deg, dec * units.deg)
    ecliptic, galactic = sky.transform_to(BarycentricMeanEcliptic(equinox="J2000")), sky.galactic
    columns = metadata | {
        "isdiffpos": 1 - metadata["isdiffpos"],
        "ecl_lat": ecliptic.lat.deg,
        "ecl_long": ecliptic.lon.deg,
        "gal_lat": galactic.b.deg,
        "gal_long": galactic.l.deg,
        "non_detections": metadata["ncovhist"] - metadata["ndethist"],
    }
    matrix = np.stack([columns[name] for name, *_ in FEATURES], axis=1)
    low, high, mean, std = (np.array(values, float) for values in list(zip(*FEATURES, strict=True))[1:])
    matrix = np.where(np.isnan(matrix) & np.isfinite(low), low, matrix)
    normal: NDArray[np.float32] = ((np.clip(matrix, low, high) - mean) / std).astype(np.float32)
    return normal


def read_checkpoint(path: Path) -> dict[str, NDArray[np.float32]]:
    """Arrays of a TensorFlow checkpoint, in the order of our network's weights, under names ``000 conv_1 kernel`` and so on.

    Parameters
    ----------
    path : Path
        The folder of the checkpoint, or its prefix (``.../model``).

    Raises
    ------
    WeightsError
        There is no checkpoint, it is damaged, or it is of another network.
    """
    keras()
    import tensorflow as tf

    try:
        # the file ``checkpoint`` beside ALeRCE's ``model`` names a path of another machine
        prefix = str(path / "model") if (path / "model.index").is_file() else tf.train.latest_checkpoint(path) or str(path)
        reader = tf.train.load_checkpoint(prefix)
        names = sorted(n for n in reader.get_variable_to_shape_map() if n.startswith("network/") and "Adam" not in n)
        found = {n: np.asarray(reader.get_tensor(n), np.float32) for n in names}
    except (ValueError, TypeError, OSError, tf.errors.OpError) as error:
        raise WeightsError(f"{path} is not a TensorFlow checkpoint: {error}") from error
    ordered: dict[str, NDArray[np.float32]] = {}
    for layer in _LAYERS:
        for part in _PARTS:
            for name in found:
                if name.startswith(f"network/{layer}") and name.endswith(f"/{part}"):
                    ordered[f"{len(ordered):03} {layer} {part}"] = found[name]
    return ordered


def build(arrays: dict[str, NDArray[np.float32]]) -> tuple[Any, bool]:
    """Build the Keras network of a checkpoint's arrays; returns it and whether it uses metadata.

    Raises ``WeightsError`` if the arrays are of another network.
    """
    with_metadata = any("batchnorm" in name for name in arrays)
    try:
        kernel = arrays["002 conv_2 kernel"].shape[0]
        model = network.paper(_n_metadata(arrays), kernel)
        model.set_weights(_keras_order(model, arrays))
    except (KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"not a checkpoint of the stamp classifier: {error}") from error
    return model, with_metadata


def _n_metadata(arrays: dict[str, NDArray[np.float32]]) -> int:
    sizes = [a.size for name, a in arrays.items() if name.endswith("gamma")]
    if sizes and sizes[0] != len(FEATURES):
        raise ValueError(f"{sizes[0]} metadata features, {len(FEATURES)} are known")
    return sizes[0] if sizes else 0


def _keras_order(model: Any, arrays: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Arrays by layer: convolutions in order, dense layers in order, batch normalisation where the model has it."""
    by_kind = {kind: [a for name, a in arrays.items() if kind in name] for kind in ("conv", "dense", "batchnorm", "output")}
    queue = {"conv2d": by_kind["conv"], "dense": by_kind["dense"] + by_kind["output"], "batch": by_kind["batchnorm"]}
    ordered: list[NDArray[np.float32]] = []
    for layer in model.layers:
        kind = next((k for k in queue if layer.name.startswith(k)), None)
        if kind is not None:
            count = len(layer.get_weights())
            ordered += queue[kind][:count]
            queue[kind] = queue[kind][count:]
    return ordered


def import_checkpoint(path: Path, folder: Path | None = None) -> dict[str, Any]:
    """Store a checkpoint as arrays with a card; returns the card."""
    arrays = read_checkpoint(path)
    _, with_metadata = build(arrays)
    name = (path if path.is_dir() else path.parent).resolve().name
    card = {"classifier": Model.name, "version": name, "metadata": with_metadata, "source": "ALeRCE (Carrasco-Davis et al. 2021)"}
    return storage.write(folder or _folder(), dict(arrays), card)


def _folder() -> Path:
    return Path(os.environ.get(VARIABLE) or FOLDER)


class Model:
    """An imported checkpoint; a `classifiers.records.Classifier`. Raw softmax, as ALeRCE publishes it.

    Parameters
    ----------
    folder : Path, optional
        Folder of `import_checkpoint`; the environment variable ALERCE_STAMP_WEIGHTS, or a folder beside our own weights, by default.
    """

    name = "alerce_stamp"
    classes = STAMP

    def __init__(self, folder: Path | None = None) -> None:
        arrays, card = storage.read(folder or _folder())
        self._arrays = arrays
        self._network: tuple[Any, bool] | None = None
        self.version: str = card["version"]

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects by their earliest ZTF alert with cutouts; row i belongs to object i."""
        inputs = from_alerts([first_alert(o) for o in objects], FIELDS)
        return Classification(self.name, self.version, self.classes, self.probabilities(inputs))

    def probabilities(self, inputs: Inputs) -> Floats:
        """Probabilities (n, 5) of inputs with the fields `FIELDS`; NaN where inputs are not usable or metadata are missing."""
        self._network = self._network or build(self._arrays)
        model, with_metadata = self._network
        result = np.full((len(inputs), len(STAMP)), np.nan)
        given = [network.unit_crop(inputs.stamps)] + ([features(dict(inputs.metadata))] if with_metadata else [])
        good = inputs.usable & np.isfinite(given[-1].reshape(len(inputs), -1)).all(axis=1)
        if good.any():
            result[good] = model.predict([g[good] for g in given], batch_size=256, verbose=0)
        return result
