"""Stamp classifier for ATLAS. **Experimental**: it was trained on simulated stamps only (`classifiers.models.stamp.training`)."""

from __future__ import annotations

from classifiers.models import stamp


class Model(stamp.Model):
    """A `classifiers.records.Classifier` of the earliest ATLAS alert of each object; its version says that it is experimental."""

    name = "stamp_atlas"
    survey = "atlas"
