"""The weights on disk: an npz of plain arrays and the card that describes it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.posterior.network import FIXED, Weights
from classifiers.records import WEIGHTS_ROOT, WeightsError

#: Folder of the shipped weights, and the files in it.
SHIPPED, FILE, CARD = WEIGHTS_ROOT / "posterior", "model.npz", "card.json"


def save(folder: Path, networks: Mapping[str, Weights], card: Mapping[str, Any], seen: NDArray[np.uint32]) -> None:
    """Write networks by name, in half precision, the CRC-32 of the names they have seen, and their card with size and SHA-256."""
    arrays: dict[str, NDArray[Any]] = {"seen": seen}
    for name, weights in networks.items():
        arrays |= {f"{name}/{key}": value.astype(np.float16) for key, value in weights.arrays.items()}
        arrays |= {f"{name}/{key}": getattr(weights, key).astype(np.float32) for key in FIXED}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    content = stream.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    full = dict(card) | {"networks": list(networks), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / CARD).write_text(json.dumps(full, indent=1, allow_nan=False) + "\n")


def load(folder: Path, name: str = "all") -> Weights:
    """Read one of the networks of a folder; a missing or changed file, or another format, is a `WeightsError`."""
    own = {key.partition("/")[2]: value for key, value in _arrays(folder).items() if key.partition("/")[0] == name}
    try:
        fixed = {key: own.pop(key).astype(np.float64) for key in FIXED}
    except KeyError as error:
        raise WeightsError(f"{folder / FILE} has no posterior {name!r}: {error}") from error
    return Weights({key: value.astype(np.float32) for key, value in own.items()}, **fixed)


def seen(folder: Path) -> NDArray[np.uint32]:
    """CRC-32 of the names of the objects that the networks of a folder were trained on."""
    return _arrays(folder)["seen"]


def _arrays(folder: Path) -> dict[str, NDArray[Any]]:
    try:
        content = (folder / FILE).read_bytes()
    except OSError as error:
        raise WeightsError(f"no posterior in {folder}: {error}") from error
    if hashlib.sha256(content).hexdigest() != card(folder).get("sha256"):
        raise WeightsError(f"{folder / FILE} is not the file that its card describes (SHA-256 differs)")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{folder / FILE} is not a posterior: {error}") from error


def card(folder: Path = SHIPPED) -> dict[str, Any]:
    """Read the card of a folder; a `WeightsError` where there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / CARD).read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(f"no card of a posterior in {folder}: {error}") from error
    return found


@cache
def shipped() -> Weights:
    """Read the shipped weights, once in a process."""
    return load(SHIPPED)
