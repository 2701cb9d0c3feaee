"""Tables of the intake: messages that could not be read, and how far brokers have been polled."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class DeadLetter(models.Model):
    """A message that could not be read, with its place and the reason; the same message is kept once."""

    source = models.CharField(max_length=300, help_text="absolute path, topic, or broker and query")
    position = models.CharField(max_length=255, blank=True, help_text="partition and offset, place in an archive, or object")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes")
    size = models.PositiveBigIntegerField()
    reason = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "position", "digest"], name="alerce_unique_dead_letter")]

    def __str__(self) -> str:
        return f"{self.source} {self.position}: {self.reason[:60]}"


class Watermark(models.Model):
    """How far a broker has been polled with one query: the latest detection of its last complete answer."""

    source = models.CharField(max_length=200, unique=True, help_text="broker, survey and filters of the query")
    mjd = models.FloatField(help_text="MJD UTC")
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.mjd:.2f}"
