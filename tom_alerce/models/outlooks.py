"""What the light curve of an object says of its peak and its coming nights."""

from __future__ import annotations

from django.db import models

from tom_alerce.models.sky import SkyObject


class Outlook(models.Model):
    """The posterior of the light curve of one object (`classifiers.posterior.records.Outlooks`), of the evidence that it had then."""

    sky_object = models.OneToOneField(SkyObject, on_delete=models.CASCADE, primary_key=True, related_name="outlook")
    evidence = models.CharField(max_length=64, help_text="as in SkyObject: another one there asks for a new outlook")
    version = models.CharField(max_length=64, help_text="of the weights")
    mjd = models.FloatField(null=True, help_text="the moment it was made for, MJD UTC; null where nothing can be said")
    packed = models.BinaryField(default=b"", help_text="of one object; empty where nothing can be said")
    created = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"outlook of {self.sky_object_id}"
