"""What one person has looked at, and how that person looks at the board."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class Seen(models.Model):
    """One person has looked at one object, with the evidence that it had then; one row for both, the latest look."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="+")
    evidence = models.CharField(max_length=64, blank=True, help_text="of the object when it was looked at (`SkyObject.evidence`)")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "seen"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "sky_object"], name="alerce_unique_seen")]

    def __str__(self) -> str:
        return f"{self.sky_object} seen by {self.user}"


class View(models.Model):
    """A name for filters and an order of the board: its owner's, or shared with everybody who sees the board."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64)
    query = models.CharField(max_length=1000, blank=True, help_text="what stands behind the question mark of the board's address")
    shared = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="alerce_unique_view")]

    def __str__(self) -> str:
        return self.name
