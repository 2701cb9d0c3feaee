"""Shipped models on disk: ``weights.npz`` (plain arrays, no pickle) and ``card.json``, which describes them and holds their SHA-256."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.models.stamp import embedding
from classifiers.models.stamp.ensemble import Ensemble
from classifiers.population_stability import Reference
from classifiers.records import WEIGHTS_ROOT, WeightsError
from classifiers.taxonomy import STAMP
from classifiers.trees import Trees

#: Folder of the shipped weights.
SHIPPED = WEIGHTS_ROOT / "stamp"
#: Names of the files in a model's folder.
WEIGHTS, CARD = "weights.npz", "card.json"


def shipped(survey: str) -> Path:
    """Folder of the shipped weights for the stamps of a survey."""
    return SHIPPED if survey == "ztf" else SHIPPED.with_name(f"{SHIPPED.name}_{survey}")


def write(folder: Path, arrays: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    """Write arrays and the card that describes them; returns the card with the size and the hash of the file."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    packed = buffer.getvalue()
    card = card | {"classes": list(STAMP), "sha256": sha256(packed).hexdigest(), "bytes": len(packed)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(packed)
    write_card(folder, card)
    return card


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write the card alone."""
    (folder / CARD).write_text(json.dumps(card, indent=1, allow_nan=False) + "\n")


def read(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the arrays and the card of a folder.

    Raises
    ------
    WeightsError
        A file is missing, was changed since it was written, or has another format.
    """
    card = read_card(folder)
    try:
        packed = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {folder / WEIGHTS}: {error}") from error
    if sha256(packed).hexdigest() != card.get("sha256"):
        raise WeightsError(f"{folder / WEIGHTS} is not the file that {CARD} describes: its SHA-256 differs")
    try:
        with np.load(BytesIO(packed), allow_pickle=False) as file:
            return {key: file[key] for key in sorted(file.files)}, card
    except (ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{folder / WEIGHTS} holds no arrays: {error}") from error


def save(model: Ensemble, seen: NDArray[np.uint64], card: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write a model with its card; ``seen`` are `data.digests` of the objects that it was trained on. Returns the complete card."""
    arrays: dict[str, Any] = {"seen": seen}
    for name, forest in model.forests.items():
        arrays |= {f"forest/{name}/{key}": value for key, value in forest.arrays().items()}
    for i, weights in enumerate(model.weights):
        arrays |= {f"network/{i:02}/{j:03}": value for j, value in enumerate(weights)}
    if model.embedding is not None:
        arrays |= {f"embedding/0/{key}": value for key, value in model.embedding.arrays().items()}
    if model.reference is not None:
        arrays |= {f"drift/0/{key}": value for key, value in model.reference.arrays().items()}
    return write(folder, arrays, card | {"calibration": {mode: c.as_dict() for mode, c in model.calibrations.items()}})


def load(folder: Path = SHIPPED) -> tuple[Ensemble, NDArray[np.uint64], dict[str, Any]]:
    """Read a model, the digests of its training objects, and its card; ``WeightsError`` as `read`."""
    arrays, card = read(folder)
    parts: dict[str, dict[str, dict[str, NDArray[Any]]]] = {kind: defaultdict(dict) for kind in ("forest", "network", "embedding", "drift")}
    try:
        for key, value in arrays.items():
            if key != "seen":
                kind, name, part = key.split("/")
                parts[kind][name][part] = value
        model = Ensemble(
            {name: Trees(**forest) for name, forest in parts["forest"].items()},
            [list(network.values()) for network in parts["network"].values()],
            {mode: Calibration(c["temperature"], tuple(c["bias"])) for mode, c in card["calibration"].items()},
            embedding=next((embedding.from_arrays(e) for e in parts["embedding"].values()), None),
            reference=next((Reference(**r) for r in parts["drift"].values()), None),
        )
        return model, arrays["seen"], card
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder} holds no stamp model: {error}") from error


def read_card(folder: Path = SHIPPED) -> dict[str, Any]:
    """Read the card alone; ``WeightsError`` if there is none."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {folder / CARD}: {error}") from error
    if tuple(card.get("classes", ())) != STAMP:
        raise WeightsError(f"{folder / CARD} is of a model with other classes: {card.get('classes')}")
    return card
