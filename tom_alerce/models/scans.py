"""The scanning of candidates, one after the other: who has which before the eyes, and what was decided."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class Scan(models.Model):
    """One candidate of one queue in one night: before somebody's eyes until it expires, or decided."""

    class Decision(models.TextChoices):
        """What was decided; nothing yet is empty."""

        KEEP = "keep", "kept"
        DROP = "drop", "dropped"
        LATER = "later", "put off"

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="scans")
    profile = models.CharField(max_length=64, help_text="by which the queue is ranked")
    team = models.PositiveIntegerField(default=0, help_text="key of the group that shares the queue; 0: everybody")
    night = models.DateField(help_text="of the evening at the site of the settings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    expires = models.DateTimeField(help_text="until when nobody else gets it, unless it is decided")
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True)
    text = models.CharField(max_length=500, blank=True)
    decided = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(max_length=64, blank=True, help_text="of the object when it was decided: with another it comes again")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["night", "profile", "team", "sky_object"], name="alerce_unique_scan")]

    def __str__(self) -> str:
        return f"{self.sky_object} {self.decision or 'before the eyes'} of {self.user}"
