"""The stamp classifier: AGN, SN, VS, asteroid or bogus from one image triplet and the numbers that come with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broker_adapters.records import SkyObject
from classifiers.records import Classification
from classifiers.taxonomy import STAMP

from . import store
from .preprocess import first_alert, from_alerts


class Model:
    """The shipped model, or that of another folder; a `classifiers.records.Classifier`.

    Of each object the earliest ZTF alert with cutouts is judged. Objects without one, with other surveys' stamps alone, or with stamps
    that are damaged, clipped or incomplete get a row of NaN.

    Parameters
    ----------
    folder : Path
        Where the weights and the model card are.
    mode : str
        'full', or 'image_only' to leave the metadata aside.
    """

    name = "stamp"
    classes = STAMP

    def __init__(self, folder: Path = store.SHIPPED, mode: str = "full") -> None:
        self._ensemble, _, card = store.load(folder)
        self._mode = mode
        self.version: str = card["version"]

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects; row i belongs to object i. TensorFlow is imported at the first call."""
        inputs = from_alerts([first_alert(o) for o in objects])
        return Classification(self.name, self.version, self.classes, self._ensemble.predict(inputs, self._mode))
