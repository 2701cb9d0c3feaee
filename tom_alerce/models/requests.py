"""Requests for observations, and what happened to each."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from tom_alerce.models.followup import Ranking
from tom_alerce.models.series import Series
from tom_alerce.models.sky import SkyObject


def new_token() -> str:
    """What identifies a request at its facility: unlike its key it is that of no other TOM, and of no other attempt after an end."""
    return uuid4().hex


class FollowupRequest(models.Model):
    """A request for an observation, as a state machine; its key is unique, so that the same request is never sent twice."""

    class State(models.TextChoices):
        """State of a request; `tom_alerce.requests.states` has the transitions."""

        DRAFT = "draft", "draft"
        VALIDATED = "validated", "validated, not sent"
        INVALID = "invalid", "refused by the facility's own check"
        APPROVED = "approved", "approved, not sent yet"
        SENDING = "sending", "being sent"
        UNKNOWN = "unknown", "sent, no answer: may exist at the facility"
        SUBMITTED = "submitted", "submitted"
        SCHEDULED = "scheduled", "scheduled"
        OBSERVED = "observed", "observed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "its window has passed"

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
    instrument = models.CharField(max_length=64, blank=True, help_text="as the facility names it; '' for requests of older versions")
    start = models.FloatField(null=True, blank=True, help_text="MJD UTC: begin of the window in which it may be observed")
    end = models.FloatField(null=True, blank=True, help_text="MJD UTC: end of the window")
    priority = models.FloatField(default=0.0, help_text="ranking score in [0, 1]; the highest of all requests that were joined with it")
    payload = models.JSONField(help_text="form data of the facility")
    prepared = models.JSONField(
        null=True, blank=True, help_text="what is sent, as the facility's form made it of the payload when it was valid"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    message = models.TextField(blank=True, help_text="what the facility, or our own check, said")
    token = models.CharField(
        max_length=32, default=new_token, help_text="travels with it to the facility; another when it is drafted again after it has ended"
    )
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who has told it to be sent; it is sent again under that name while the facility has not got it",
    )
    wanted = models.BooleanField(default=False, help_text="told to be sent, and not with the facility yet")
    sent = models.DateTimeField(null=True, blank=True, help_text="begin of the latest attempt with this token; null before the first")
    joined = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the equivalent request that is pending instead",
    )
    series = models.ForeignKey(
        Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="rounds", help_text="of which it is a round"
    )
    round = models.PositiveSmallIntegerField(default=0, help_text="its number in the series, from 1 on; 0 for none")
    observation_id = models.CharField(max_length=255, blank=True, help_text="at the facility")
    observation_record = models.ForeignKey(
        "tom_observations.ObservationRecord", null=True, blank=True, on_delete=models.SET_NULL, related_name="followup_requests"
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    #: Whether the target was made for this draft; not stored.
    made_target: bool = False

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "sky_object"], name="alerce_request_state")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["facility", "observation_id"], condition=~models.Q(observation_id=""), name="alerce_unique_observation"
            ),
            models.UniqueConstraint(fields=["series", "round"], name="alerce_unique_round"),
        ]

    def __str__(self) -> str:
        return f"{self.facility} {self.key[:8]} ({self.state})"


class RequestEvent(models.Model):
    """One change of a request: when, by whom, from where to where, why, what was sent and what was answered. It is never changed."""

    request = models.ForeignKey(FollowupRequest, on_delete=models.CASCADE, related_name="events")
    time = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="null: the TOM itself"
    )
    before = models.CharField(max_length=12, choices=FollowupRequest.State.choices, blank=True, help_text="'' for the first")
    after = models.CharField(max_length=12, choices=FollowupRequest.State.choices)
    reason = models.TextField(blank=True)
    payload = models.JSONField(null=True, blank=True, help_text="form data if it was changed or checked; what was sent if it was sent")
    answer = models.TextField(blank=True, help_text="of the facility, as it came")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M} {self.before or 'new'} -> {self.after}"

    def save(self, *args: Any, **options: Any) -> None:
        """Insert; what has happened is not changed afterwards."""
        if self.pk is not None:
            raise TypeError("an event of a request is never changed")
        super().save(*args, **options)
