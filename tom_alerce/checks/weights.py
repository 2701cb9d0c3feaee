"""W003: the weights that are shipped with our classifiers are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from tom_alerce import conf
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.plugins import missing

#: Where the weights are: a folder for each classifier that has any.
WEIGHTS = Path(__file__).resolve().parents[2] / "classifiers" / "weights"


@register("tom_alerce")
def check_weights(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W003: the weights of a classifier in use are missing, or are not those that its model card describes.

    A third party's classifier keeps its weights where it likes, and one of ours may need none: it has no folder then. Only an
    installation without any weights is a broken one.
    """
    if clashing() or missing("CLASSIFIERS"):
        return []
    installed = {folder.name for folder in WEIGHTS.glob("*/")}
    return [
        Warning(
            f"The weights of the classifier {name!r} are not usable: {problem}.",
            hint=f"Install tom_alerce anew, or train: python -m classifiers train {name} --data DIR.",
            id="tom_alerce.W003",
        )
        for name in conf.get("CLASSIFIERS")
        if "." not in name and (name in installed or not installed)
        for problem in weights_problems(WEIGHTS / name)
    ]


def weights_problems(folder: Path) -> Iterator[str]:
    """What is wrong with a folder of weights: one file of arrays beside the model card that holds its SHA-256."""
    card = folder / "card.json"
    try:
        digest = json.loads(card.read_text())["sha256"]
    except FileNotFoundError:
        yield f"there is no {card}"
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"{card} cannot be read ({error!r})"
        return
    files = list(folder.glob("*.npz"))
    if len(files) != 1:
        yield f"{folder} has {len(files)} files of weights instead of one"
    elif sha256(files[0].read_bytes()).hexdigest() != digest:
        yield f"{files[0]} is not the file that its card describes"
