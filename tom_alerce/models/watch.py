"""Lists of positions and regions that people watch, and the objects that were found in them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class Watch(models.Model):
    """A list of positions and names, or a region of the sky; its owner sees it, and the members of its group."""

    class Kind(models.TextChoices):
        """What it holds."""

        POSITIONS = "positions", "list of positions"
        REGION = "region", "region"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.POSITIONS)
    text = models.CharField(max_length=500, blank=True, help_text="what it is for")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="alerce_watches")
    group = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="whose members see it, too"
    )
    radius = models.FloatField(default=3.0, help_text="arcseconds, of positions that have none of their own")
    ranges = models.BinaryField(
        null=True, help_text="of a region: first and last + 1 nested HEALPix indices of order 29, little-endian, in pairs"
    )
    coverage = models.FloatField(default=0.0, help_text="of a region: fraction of the sky")
    active = models.BooleanField(default=True, help_text="alerts are matched with it")
    version = models.PositiveIntegerField(default=1, help_text="counts its changes")
    searched = models.PositiveIntegerField(default=0, help_text="version for which the stored objects have been looked through")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "watches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="alerce_unique_watch")]

    def __str__(self) -> str:
        return self.name

    @property
    def by(self) -> str:
        """Name of its owner."""
        return "a former user" if self.owner is None else self.owner.get_username()


class WatchEntry(models.Model):
    """One position of a list, or the name of an object that has none until it is seen."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="entries")
    name = models.CharField(max_length=64)
    ra = models.FloatField(null=True, help_text="degrees, ICRS; null: the object of that name")
    dec = models.FloatField(null=True, help_text="degrees, ICRS")
    radius = models.FloatField(null=True, help_text="arcseconds; null: the list's")
    text = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "watch entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watch", "name"], name="alerce_unique_watch_entry"),
            models.CheckConstraint(
                condition=models.Q(ra__isnull=True, dec__isnull=True) | models.Q(ra__isnull=False, dec__isnull=False),
                name="alerce_watch_entry_placed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WatchMatch(models.Model):
    """An object that was found in a list or region; once for each."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="matches")
    entry = models.ForeignKey(WatchEntry, null=True, on_delete=models.SET_NULL, related_name="+", help_text="the nearest; null: a region")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="watch_matches")
    separation = models.FloatField(null=True, help_text="arcseconds; null: a region, or found by its name")
    earlier = models.BooleanField(default=False, help_text="it was stored before the list was made or changed")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "watch matches"
        constraints: ClassVar = [models.UniqueConstraint(fields=["watch", "sky_object"], name="alerce_unique_watch_match")]

    def __str__(self) -> str:
        return f"{self.sky_object_id} in {self.watch_id}"
