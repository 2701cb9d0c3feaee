"""The stamp classifier for ATLAS: **experimental**, since it learnt from simulated stamps alone (`classifiers.stamp.simulated_only`)."""

from __future__ import annotations

from classifiers import stamp


class Model(stamp.Model):
    """A `classifiers.records.Classifier` of the earliest ATLAS alert of each object; its version says that it is experimental."""

    name = "stamp_atlas"
    survey = "atlas"
