"""Classifications of objects, and tables about the classifiers themselves."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from broker_adapters.records import SOURCE_ID_WIDTH
from tom_alerce.models.sky import SkyObject, Stamps, SurveyObject


class Classification(models.Model):
    """Classification of a sky object by one classifier on one input; append-only.

    The current row of one of our classifiers is that of the present evidence of the object, whatever came before or since; that of a
    broker's is about the latest alert (`store.classifications.last`). An empty label means that the classifier cannot say. ``evidence`` is
    the digest of the input: of the contents of the measurements and stamps of the object, or of a broker's own text.
    """

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="classifications")
    survey_object = models.ForeignKey(
        SurveyObject,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="classifications",
        help_text="what a broker's label is about; null for our own classifiers, which see the whole sky object",
    )
    origin = models.CharField(max_length=16, default="local", help_text="'local', or the broker that said so")
    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    evidence = models.CharField(max_length=64, help_text="digest of the input; the same input is classified once")
    label = models.CharField(max_length=64, blank=True, db_index=True, help_text="in the words of its origin")
    probability = models.FloatField()
    probabilities = models.JSONField()
    details = models.JSONField(
        default=dict, blank=True, help_text="what it says beside the class: classifiers.records.Classification.details"
    )
    n_detections = models.PositiveIntegerField()
    mjd = models.FloatField(
        null=True, blank=True, help_text="time of the alert that a broker's label is about, MJD UTC; null for our own classifiers"
    )
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sky_object", "origin", "classifier", "version", "evidence"], name="alerce_unique_classification"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["-created", "-id"], condition=~Q(label=""), name="alerce_labelled")]

    def __str__(self) -> str:
        return f"{self.classifier}: {self.label} ({self.probability:.2f})" if self.label else f"{self.classifier}: cannot say"


class Explanation(models.Model):
    """Map of the pixels that spoke for the class of one alert (`classifiers.models.stamp.explain`); one for each set of stamps."""

    stamps = models.ForeignKey(Stamps, on_delete=models.CASCADE, related_name="explanations")
    source_id = models.CharField(max_length=SOURCE_ID_WIDTH, help_text="the alert whose stamps they were")
    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    label = models.CharField(max_length=64, help_text="the class that the map speaks for")
    probability = models.FloatField(help_text="of that class, by the images alone")
    weights = models.BinaryField(help_text="63 x 63 little-endian float16: loss of that probability when the pixel is hidden")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stamps", "source_id", "classifier", "version"], name="alerce_unique_explanation")
        ]

    def __str__(self) -> str:
        return f"{self.stamps}: {self.label}"


class Drift(models.Model):
    """Distance of the alerts of one night from the training set of a classifier (`classifiers.models.stamp.drift`)."""

    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    night = models.DateField(help_text="of the evening at the survey's telescope")
    n = models.PositiveIntegerField(help_text="alerts that were looked at")
    classes = models.JSONField(help_text="class -> share of the alerts that it won")
    psi = models.JSONField(help_text="quantity -> population stability index beyond that of any night of the training set, largest first")
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["classifier", "version", "night"], name="alerce_unique_drift")]

    def __str__(self) -> str:
        return f"{self.classifier} {self.night}"
