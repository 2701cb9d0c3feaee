"""Automatic triggers, what each did or would have done, and the switch that stops them all."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.requests import FollowupRequest
from tom_alerce.models.sky import SkyObject


class Trigger(models.Model):
    """A rule that asks for an observation of what a profile ranks highly; off until a person switches it on."""

    class Mode(models.TextChoices):
        """How far it goes."""

        OFF = "off", "off"
        REHEARSE = "rehearse", "rehearsal: logs what it would do"
        DRAFT = "draft", "drafts, which a person approves"
        SEND = "send", "sends, without a person"

    name = models.CharField(max_length=100, unique=True)
    profile = models.CharField(max_length=100, default="default", help_text="name of the profile by which objects are ranked")
    threshold = models.FloatField(default=0.8, help_text="least score, in [0, 1]")
    facility = models.CharField(max_length=100, help_text="plug-in of followup/facilities, or a dotted module of the settings")
    instrument = models.CharField(max_length=64, blank=True, help_text="'' takes the facility's default")
    filters = models.JSONField(default=list, blank=True, help_text="names of filters; none takes the instrument's default")
    snr = models.FloatField(default=20.0, help_text="signal to noise wanted")
    per_night = models.PositiveSmallIntegerField(default=2, help_text="requests in 24 hours at most")
    hours_per_night = models.FloatField(default=1.0, help_text="hours of telescope time in 24 hours at most")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.OFF)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="in whose name it asks"
    )
    allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who has allowed it to send without a person",
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(threshold__gt=0.0, threshold__lte=1.0), name="alerce_trigger_threshold"),
            models.CheckConstraint(condition=~models.Q(mode="send", allowed_by=None), name="alerce_trigger_allowed"),
        ]

    def __str__(self) -> str:
        return self.name


class TriggerEntry(models.Model):
    """What a trigger did with one object at one time, or would have done; it is never changed."""

    class Outcome(models.TextChoices):
        """What it came to."""

        REHEARSED = "rehearsed", "would have asked"
        DRAFTED = "drafted", "drafted"
        SENT = "sent", "sent"
        STOPPED = "stopped", "stopped by a guard"
        CAPPED = "capped", "beyond the cap or the hours"
        FAILED = "failed", "failed"

    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="entries")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="+")
    time = models.DateTimeField(auto_now_add=True)
    night = models.CharField(max_length=10, help_text="ISO date of the evening at the site")
    score = models.FloatField()
    hours = models.FloatField(default=0.0, help_text="telescope time of the request")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.TextField(blank=True)
    payload = models.JSONField(null=True, blank=True, help_text="form data that were, or would have been, asked for")
    request = models.ForeignKey(FollowupRequest, null=True, blank=True, on_delete=models.SET_NULL, related_name="entries")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["trigger", "sky_object", "night", "outcome"], name="alerce_trigger_once")]
        indexes: ClassVar = [models.Index(fields=["trigger", "-time"], name="alerce_trigger_time")]

    def __str__(self) -> str:
        return f"{self.trigger}: {self.outcome}"


class Halt(models.Model):
    """The switch that stops every trigger: they stand still while there is one that has not been ended."""

    started = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(models.Value(1), condition=models.Q(ended=None), name="alerce_one_halt"),
        ]

    def __str__(self) -> str:
        return f"halted {self.started:%Y-%m-%d %H:%M}"

    @property
    def by(self) -> str:
        """Name of who has stopped them."""
        return self.started_by.get_username() if self.started_by is not None else "a former user"

    @classmethod
    def current(cls) -> Any:
        """The halt that stands; None while triggers may work."""
        return cls.objects.filter(ended=None).select_related("started_by").first()
