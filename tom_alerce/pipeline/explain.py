"""Explanations of the stamp classifier: which pixels of an alert's stamps spoke for its class.

Making one needs TensorFlow, so that it runs in commands and tasks; the pages show what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from broker_adapters.surveys import ztf
from tom_alerce.models import Explanation, Stamps
from tom_alerce.store import explanations, sky

#: The classifier that is explained and watched, and the survey whose stamps it reads.
CLASSIFIER, SURVEY = "stamp", ztf.SURVEY.name


def explain(stamps: Sequence[Stamps]) -> list[Explanation]:
    """Store a map for each of these stamps; those that the model cannot read, or that have a map already, are left out.

    Raises
    ------
    ClassifierError
        The model's weights are damaged.
    """
    from classifiers.models.stamp import explain as maps
    from classifiers.models.stamp import storage
    from classifiers.models.stamp.preprocess import from_alerts

    model, _, card = storage.load()
    made = []
    for row in stamps:
        explained = row.explanations.filter(classifier=CLASSIFIER, version=card["version"], source_id=row.source_id)
        inputs = from_alerts([sky.alert(row)])
        if explained.exists() or not inputs.usable.all():
            continue
        result, weights = maps.explained(model, inputs)
        made.append(explanations.save(row, CLASSIFIER, card["version"], result, weights))
    return made


def explainable(sky_object_ids: Sequence[int]) -> list[Stamps]:
    """The stamps of these objects that the stamp classifier uses: those of the first alert of each ZTF object, if all three are there."""
    rows = Stamps.objects.filter(survey_object__sky_object__in=list(sky_object_ids), survey_object__survey=SURVEY, slot=Stamps.Slot.FIRST)
    whole = rows.filter(science__isnull=False, template__isnull=False, difference__isnull=False)
    return list(whole.select_related("survey_object"))
