"""Tables of the operation: the workers of streams and where they stand, runs of commands, the disk, and what has gone wrong."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class StreamWorker(models.Model):
    """A process that follows a stream, its last sign of life, and what it has done since it started."""

    name = models.CharField(max_length=200, unique=True, help_text="stream, host and process")
    stream = models.CharField(max_length=100, db_index=True)
    host = models.CharField(max_length=80)
    started = models.DateTimeField()
    beat = models.DateTimeField(help_text="last sign of life")
    ended = models.DateTimeField(null=True, help_text="when it left; null while it follows, or if it was killed")
    batched = models.DateTimeField(null=True, help_text="when it last committed a batch")
    batch = models.CharField(max_length=12, blank=True, help_text="id of that batch in the log")
    problem = models.TextField(blank=True, help_text="why it waits")
    rate = models.FloatField(default=0.0, help_text="packets per second within the last minute")
    latency = models.FloatField(default=0.0, help_text="seconds from receiving to committing a batch, the longest within the last minute")
    batches = models.PositiveBigIntegerField(default=0)
    packets = models.PositiveBigIntegerField(default=0)
    kept = models.PositiveBigIntegerField(default=0, help_text="alerts that were stored")
    passed = models.PositiveBigIntegerField(default=0, help_text="alerts that no keep rule kept")
    refused = models.PositiveBigIntegerField(default=0, help_text="dead letters")

    def __str__(self) -> str:
        return self.name


class StreamPartition(models.Model):
    """How far a partition of a stream has been committed, as the worker saw it that follows it, or did last."""

    stream = models.CharField(max_length=100)
    topic = models.CharField(max_length=249)
    partition = models.PositiveIntegerField()
    worker = models.CharField(max_length=200)
    offset = models.BigIntegerField(help_text="the next one to be committed")
    end = models.BigIntegerField(help_text="the next one to be written")
    waits = models.DateTimeField(null=True, help_text="since when packets wait and the offset stands still; null if none wait")
    seen = models.DateTimeField(help_text="when the worker last looked")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["stream", "topic", "partition"], name="alerce_unique_stream_partition")]

    def __str__(self) -> str:
        return f"{self.topic} {self.partition}: {self.offset} of {self.end}"

    @property
    def lag(self) -> int:
        """Packets that wait."""
        return max(self.end - self.offset, 0)


class Run(models.Model):
    """The last runs of a command or a poller."""

    name = models.CharField(max_length=200, unique=True, help_text="command with its switches; of a poller with broker and survey")
    started = models.DateTimeField()
    seconds = models.FloatField()
    succeeded = models.DateTimeField(null=True, help_text="the end of the last run without a problem")
    problem = models.TextField(blank=True, help_text="of the last run")

    def __str__(self) -> str:
        return self.name


class DiskUse(models.Model):
    """Bytes of the database on a day (UTC)."""

    day = models.DateField(unique=True)
    total = models.PositiveBigIntegerField()
    tables = models.JSONField(default=dict, help_text="bytes by table, with indexes, where the database tells")

    def __str__(self) -> str:
        return f"{self.day}: {self.total} bytes"


class Incident(models.Model):
    """Something that went wrong, from when it was noticed until it was over."""

    key = models.CharField(max_length=300)
    text = models.TextField(help_text="as it was last seen")
    opened = models.DateTimeField()
    closed = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(closed__isnull=True), name="alerce_unique_open_incident")
        ]

    def __str__(self) -> str:
        return self.text
