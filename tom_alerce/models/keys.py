"""Keys of people at facilities."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from tom_common.encryption import EncryptedModelField


class FacilityKey(models.Model):
    """A person's own key at a facility's portal, encrypted as the toolkit encrypts; without one the key in the settings is used."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    facility = models.CharField(max_length=64, help_text="name of the facility in the TOM")
    secret = EncryptedModelField(help_text="never shown")
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "facility"], name="alerce_unique_key")]

    def __str__(self) -> str:
        return f"key at {self.facility}"
