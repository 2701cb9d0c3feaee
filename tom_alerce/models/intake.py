"""Tables of the intake: messages that could not be read, alerts that were not kept, objects still to be fetched, withdrawn measurements,
and how far brokers have been polled.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from broker_adapters.records import OBJECT_ID_WIDTH, SOURCE_ID_WIDTH, SURVEY_WIDTH


class DeadLetter(models.Model):
    """A message that could not be read, with its place and the reason; the same message is kept once."""

    source = models.CharField(max_length=300, help_text="absolute path, topic, or broker and query")
    position = models.CharField(max_length=255, blank=True, help_text="partition and offset, place in an archive, or object")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes")
    size = models.PositiveBigIntegerField()
    reason = models.TextField()
    traceback = models.CharField(max_length=8, blank=True, help_text="id of the traceback in the log, if the mistake is ours")
    batch = models.CharField(max_length=12, blank=True, help_text="id of the batch in the log, if a stream brought it")
    data = models.BinaryField(null=True, help_text="the bytes, compressed; null if they are too many, or gave way to later ones")
    held = models.PositiveIntegerField(default=0, help_text="bytes of data")
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "position", "digest"], name="alerce_unique_dead_letter")]

    def __str__(self) -> str:
        return f"{self.source} {self.position}: {self.reason[:60]}"


class PassedAlert(models.Model):
    """An alert of a stream that no keep rule kept, without its measurements and stamps.

    There may be hundreds of millions. One index finds copies of an alert and what was seen at a place (no two surveys use the same
    name there at the same time); none is on the time, since the keys ascend nearly as it does. Numbers come before texts, which
    leaves no gaps between them.
    """

    mjd = models.FloatField(help_text="MJD UTC")
    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    healpix = models.BigIntegerField(help_text="nested index of order 12")
    probability = models.FloatField(default=0.0)
    survey = models.CharField(max_length=SURVEY_WIDTH)
    object_id = models.CharField(max_length=OBJECT_ID_WIDTH)
    label = models.CharField(max_length=16, blank=True, help_text="most probable class by the classifier that the rules ask")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["healpix", "mjd", "object_id"], name="alerce_unique_passed_alert")]

    def __str__(self) -> str:
        return f"{self.survey} {self.object_id} at {self.mjd:.4f}"


class AwaitedObject(models.Model):
    """A survey object to be fetched from a broker: a message names it without its place, or a broker failed to give it."""

    survey = models.CharField(max_length=SURVEY_WIDTH)
    object_id = models.CharField(max_length=OBJECT_ID_WIDTH)
    source = models.CharField(max_length=300, help_text="topic, or broker and query, that named it")
    reason = models.TextField()
    named = models.DateTimeField(help_text="when it was last named")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey", "object_id"], name="alerce_unique_awaited_object")]

    def __str__(self) -> str:
        return f"{self.survey} {self.object_id}"


class WithdrawnMeasurement(models.Model):
    """A measurement that the survey has withdrawn: whatever brings it again, it stays out of the light curve."""

    survey_object = models.ForeignKey("SurveyObject", on_delete=models.CASCADE, related_name="withdrawn")
    source_id = models.CharField(max_length=SOURCE_ID_WIDTH)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey_object", "source_id"], name="alerce_unique_withdrawn")]

    def __str__(self) -> str:
        return self.source_id


class Watermark(models.Model):
    """How far a broker has been polled with one query: the latest detection of its last complete answer."""

    source = models.CharField(max_length=200, unique=True, help_text="broker, survey and filters of the query")
    mjd = models.FloatField(help_text="MJD UTC")
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.mjd:.2f}"
