"""Guards that people have overridden."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.requests import FollowupRequest


class Override(models.Model):
    """A person with the right has let a request pass a guard that stops it, and said why; it counts until the request is drafted again."""

    request = models.ForeignKey(FollowupRequest, on_delete=models.CASCADE, related_name="overrides")
    token = models.CharField(max_length=32, help_text="of the request at that time: it is another when the request is drafted again")
    guard = models.CharField(max_length=100)
    reason = models.TextField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["request", "token", "guard"], name="alerce_unique_override")]

    def __str__(self) -> str:
        return f"{self.guard}: {self.reason}"

    @property
    def by(self) -> str:
        """Name of the person; accounts are deleted, overrides are not."""
        return "a former user" if self.user is None else self.user.get_username()
