"""Marks of people on sky objects: pin, note, veto, snooze and claim."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class Mark(models.Model):
    """What one person has said about one sky object; undone or expired it counts no more, and is kept."""

    class Kind(models.TextChoices):
        """What a mark means for the ranking: a note means nothing, a pin is a merit, the others are vetoes."""

        PIN = "pin", "pinned"
        NOTE = "note", "note"
        VETO = "veto", "vetoed"
        SNOOZE = "snooze", "snoozed"
        CLAIM = "claim", "claimed"

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(max_length=500, blank=True, help_text="what a note says; why, for the others")
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True, help_text="from then on it counts no more; null: it counts until it is undone")
    undone = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(kind="snooze", expires=None),
                name="alerce_snooze_ends",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.by}"

    @property
    def by(self) -> str:
        """Name of its author; accounts are deleted, marks are not."""
        return "a former user" if self.author is None else self.author.get_username()
