"""What filters ask of objects, worked out beforehand, and the filters that people have saved."""

from __future__ import annotations

from django.db import models

from tom_alerce.models.sky import SkyObject


def _number(text: str = "") -> models.FloatField[float | None, float | None]:
    return models.FloatField(null=True, help_text=text)


class Traits(models.Model):
    """What is known of one sky object: a column for each field of `followup.filters`, as it was when the object was last looked at."""

    sky_object = models.OneToOneField(SkyObject, on_delete=models.CASCADE, primary_key=True, related_name="traits")
    mjd = models.FloatField(db_index=True, help_text="when it was looked at, MJD UTC")
    evidence = models.CharField(max_length=64, help_text="as in SkyObject: another one there asks for a new look")
    last_seen = models.FloatField(null=True, db_index=True, help_text="latest detection, MJD UTC")
    first_seen = models.FloatField(null=True, db_index=True, help_text="first detection by any survey, MJD UTC")
    duration = _number("days")
    detections = _number()
    nights = _number()
    ra = _number("degrees, ICRS")
    dec = _number("degrees, ICRS")
    x = _number("unit vector of the position, ICRS")
    y = _number()
    z = _number()
    galactic_latitude = _number("degrees, without its sign")
    magnitude = _number("AB, of the latest detection")
    brightest = _number("AB")
    absolute = _number("AB, at 10 pc")
    rise = _number("magnitudes a day")
    oddness = _number()
    host_probability = _number()
    host_offset = _number("arcseconds")
    distance = _number("Mpc")
    redshift = _number()
    star_offset = _number("arcseconds")
    peak = _number("median of the time of the peak, MJD UTC")
    peak_error = _number("days")
    near_peak = _number()
    peak_magnitude = _number("AB, in r")
    surveys = models.CharField(max_length=200, blank=True, help_text="with a comma before and after each")
    crossmatch = models.CharField(max_length=64, blank=True)
    magnitudes = models.JSONField(default=dict, help_text="of each band, and colours")
    classes = models.JSONField(default=dict, help_text="'classifier:class' -> probability")

    class Meta:
        verbose_name_plural = "traits"

    def __str__(self) -> str:
        return f"traits of {self.sky_object_id}"
