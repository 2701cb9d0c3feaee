"""Series: requests that are repeated until a condition is met."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from followup.series import AT_ONCE, NEXT_DATE, NEXT_NIGHT


class Series(models.Model):
    """How a request is repeated, and when that ends; its rounds are requests (`FollowupRequest.series`), one after the other."""

    class After(models.TextChoices):
        """What follows a round that has failed."""

        NOW = AT_ONCE, "again at once"
        NIGHT = NEXT_NIGHT, "again on the next night"
        DATE = NEXT_DATE, "on at its next date"

    every = models.FloatField(help_text="days from one observation to the next")
    most = models.PositiveSmallIntegerField(help_text="rounds at most, the first and those that fail included")
    until = models.DateTimeField(help_text="no round begins later")
    observed = models.PositiveSmallIntegerField(null=True, blank=True, help_text="observations that are enough")
    fainter = models.FloatField(null=True, blank=True, help_text="AB magnitude beyond which it is too faint")
    classified = models.BooleanField(default=False, help_text="ends with a spectroscopic class")
    past_peak = models.FloatField(null=True, blank=True, help_text="days after its peak at which it ends")
    after_failure = models.CharField(max_length=5, choices=After.choices, default=After.NIGHT)
    failures = models.PositiveSmallIntegerField(default=3, help_text="failures in a row that end it")
    snr = models.FloatField(null=True, blank=True, help_text="signal to noise for the brightness expected then; null repeats the exposures")
    sends = models.BooleanField(default=False, help_text="rounds are approved and sent without a person, in the owner's name")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="in whose name it asks"
    )
    message = models.TextField(blank=True, help_text="what happens next, or why it has ended")
    due = models.DateTimeField(null=True, blank=True, help_text="when the next round may begin, once that is known")
    created = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "series"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(every__gt=0.0, most__gte=1, failures__gte=1), name="alerce_series_ends"),
        ]

    def __str__(self) -> str:
        return f"series {self.pk}"
