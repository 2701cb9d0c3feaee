"""Versions of profiles that people have made."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from followup import profiles


class Profile(models.Model):
    """One version of a profile (`followup.profiles.Profile`); no version is ever changed, and one of each name at most is in use."""

    name = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    body = models.TextField(help_text="JSON as followup.profiles.Profile.to_json writes it; text, so that terms keep their order")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    active = models.BooleanField(default=False, help_text="in use; where no version of a name is, the shipped one is")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "version"], name="alerce_unique_profile"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(active=True), name="alerce_one_active_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def profile(self) -> profiles.Profile:
        """The profile; FollowupError if this version of the package cannot read it any more."""
        return profiles.Profile.from_json(self.body)
