"""What filters ask of objects, worked out beforehand, and the filters that people have saved."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
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
    period = _number("days")
    amplitude = _number("magnitudes")
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
    agreement = models.CharField(max_length=12, blank=True)
    crossmatch = models.CharField(max_length=64, blank=True)
    magnitudes = models.JSONField(default=dict, help_text="of each band, and colours")
    classes = models.JSONField(default=dict, help_text="'classifier:class' -> probability")

    class Meta:
        verbose_name_plural = "traits"

    def __str__(self) -> str:
        return f"traits of {self.sky_object_id}"


class SavedFilter(models.Model):
    """A filter that somebody has saved; its owner sees it, and the members of its groups."""

    name = models.CharField(max_length=100, unique=True)
    text = models.CharField(max_length=500, blank=True, help_text="what it is for")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="alerce_filters")
    groups = models.ManyToManyField("auth.Group", blank=True, related_name="+", help_text="whose members see it, too")
    on = models.PositiveIntegerField(null=True, blank=True, help_text="version that objects are judged by as they come; null: none")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def by(self) -> str:
        """Name of its owner; accounts are deleted, filters are not."""
        return "a former user" if self.owner is None else self.owner.get_username()


class FilterVersion(models.Model):
    """One version of a saved filter, which is never changed, and what came of the trial of it."""

    saved = models.ForeignKey(SavedFilter, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    body = models.JSONField(help_text="as followup.filters.body writes it")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    tried = models.DateTimeField(null=True, blank=True, help_text="when it was tried last")
    trial = models.JSONField(default=dict, blank=True, help_text="what it would have passed: tom_alerce.pipeline.filters.Trial")

    class Meta:
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["saved", "version"], name="alerce_unique_filter_version")]

    def __str__(self) -> str:
        return f"{self.saved} {self.version}"


class FilterMatch(models.Model):
    """An object that passes a version of a filter that is on: it is told of once."""

    saved = models.ForeignKey(SavedFilter, on_delete=models.CASCADE, related_name="matches")
    version = models.PositiveIntegerField()
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="filter_matches")
    mjd = models.FloatField(help_text="when it passed first, MJD UTC")
    told = models.BooleanField(default=True, help_text="it is an event; not so what passed already when the filter was switched on")

    class Meta:
        verbose_name_plural = "filter matches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["saved", "version", "sky_object"], name="alerce_unique_filter_match")]
        indexes: ClassVar = [models.Index(fields=["saved", "-id"], name="alerce_filter_latest")]

    def __str__(self) -> str:
        return f"{self.sky_object_id} passes {self.saved_id} {self.version}"
