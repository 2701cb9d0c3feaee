"""Stamp classifier: AGN, SN, VS, asteroid or bogus from one image triplet and the metadata of its alert.

It is for ZTF; `classifiers.models.stamp_atlas` and `classifiers.models.stamp_lsst` are the experimental ones for other surveys.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broker_adapters.records import SkyObject
from classifiers.models.stamp import storage
from classifiers.models.stamp.preprocess import FIELDS, GEOMETRIES, first_alert, from_alerts
from classifiers.records import Classification
from classifiers.taxonomy import STAMP


class Model:
    """The shipped model, or that of another folder; a `classifiers.records.Classifier`.

    An object is classified by its earliest alert with cutouts in the model's survey. Objects without one, or with stamps that are damaged,
    clipped or incomplete, get a row of NaN.

    Parameters
    ----------
    folder : Path, optional
        Folder of the weights and the model card.
    mode : str, optional
        'full', if the model uses metadata, or 'image_only'.
    """

    name = "stamp"
    survey = "ztf"
    classes = STAMP

    def __init__(self, folder: Path | None = None, mode: str | None = None) -> None:
        self._ensemble, _, card = storage.load(folder or storage.shipped(self.survey))
        self._mode = mode or ("full" if self._ensemble.forests else "image_only")
        self.version: str = card["version"]

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects; row i belongs to object i. TensorFlow is imported at the first call."""
        fields = FIELDS if self._mode == "full" else ()
        inputs = from_alerts([first_alert(o, self.survey) for o in objects], fields, GEOMETRIES[self.survey])
        return Classification(self.name, self.version, self.classes, self._ensemble.predict(inputs, self._mode))
