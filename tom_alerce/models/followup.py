"""Rankings, and requests for observations."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class Ranking(models.Model):
    """One ranking of candidates for one night at one site."""

    site = models.CharField(max_length=100)
    night = models.CharField(max_length=10, help_text="ISO date of the evening at the site")
    now = models.FloatField(help_text="MJD UTC for which it was made")
    weights = models.JSONField()
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.site} {self.night}"


class Rank(models.Model):
    """The place of one sky object in a ranking, with every term that led to it."""

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="ranks")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="ranks")
    place = models.PositiveIntegerField()
    score = models.FloatField()
    hours = models.FloatField(help_text="observable hours left tonight")
    magnitude = models.FloatField(null=True, help_text="AB, of the latest detection (followup.brightness); null where it is not known")
    terms = models.JSONField(help_text="term -> {score, weight, reason}")
    visibility = models.JSONField(default=dict, help_text="{times: [MJD], altitude: [deg], moon_separation: deg}")

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["ranking", "sky_object"], name="alerce_unique_rank")]

    def __str__(self) -> str:
        return f"{self.place}. {self.sky_object}"


class FollowupRequest(models.Model):
    """A request for an observation, as a state machine; its key is unique, so that the same request is never sent twice."""

    class State(models.TextChoices):
        """State of a request; `tom_alerce.requests.states` has the transitions."""

        DRAFT = "draft", "draft"
        VALIDATED = "validated", "validated, not sent"
        INVALID = "invalid", "refused by the facility's own check"
        SUBMITTING = "submitting", "being sent"
        SUBMITTED = "submitted", "submitted"
        FAILED = "failed", "not accepted"
        UNCERTAIN = "uncertain", "sent, no answer: may exist at the facility"

    key = models.CharField(max_length=32, unique=True)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="followup_requests")
    target = models.ForeignKey(
        "tom_targets.BaseTarget",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="for which it was made; who may see it may see the request",
    )
    ranking = models.ForeignKey(Ranking, null=True, on_delete=models.SET_NULL, related_name="followup_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    facility = models.CharField(max_length=64)
    payload = models.JSONField(help_text="form data of the facility, as it would be sent")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    message = models.TextField(blank=True, help_text="what the facility, or our own check, said")
    observation_record = models.ForeignKey(
        "tom_observations.ObservationRecord", null=True, blank=True, on_delete=models.SET_NULL, related_name="followup_requests"
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.facility} {self.key[:8]} ({self.state})"
