"""Rankings of candidates."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.functional import cached_property

from tom_alerce.models.places import Places
from tom_alerce.models.sky import SkyObject


class Ranking(models.Model):
    """One ranking of candidates for one night at one site."""

    site = models.CharField(max_length=100)
    night = models.CharField(max_length=10, help_text="ISO date of the evening at the site")
    now = models.FloatField(help_text="MJD UTC for which it was made")
    profile = models.CharField(max_length=64, default="default", help_text="name of the profile by which it was made")
    version = models.PositiveIntegerField(default=1, help_text="of the profile")
    weights = models.JSONField(help_text="term -> weight")
    supposed = models.BooleanField(default=False, help_text="made for another time than that of its making: shown to who asks for it only")
    packed = models.BinaryField(default=b"", help_text="reasons and visibility of all places: tom_alerce.models.places")
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["site", "profile", "supposed", "-now", "-id"], name="alerce_current_ranking")]

    def __str__(self) -> str:
        return f"{self.site} {self.night}"

    @cached_property
    def places(self) -> Places:
        """Terms and visibility of its places."""
        return Places.unpack(bytes(self.packed))


class Rank(models.Model):
    """The place of one sky object in a ranking; the terms that led to it are packed with those of all places (`Ranking.places`).

    Read ranks of one ranking with the same `Ranking`, as ``prefetch_related("ranking")`` gives it: it is unpacked once.
    """

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="ranks", db_index=False)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="ranks")
    place = models.PositiveIntegerField()
    score = models.FloatField()
    vetoed = models.BooleanField(default=False, help_text="not to be observed now, its score is 0: `Rank.vetoes` says why and until when")
    hours = models.FloatField(help_text="observable hours left tonight")
    magnitude = models.FloatField(null=True, help_text="AB, of the latest detection (followup.brightness); null where it is not known")

    class Meta:
        ordering: ClassVar = ["place"]
        indexes: ClassVar = [models.Index(fields=["-ranking", "place"], name="alerce_rank_place")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["ranking", "sky_object"], name="alerce_unique_rank")]

    def __str__(self) -> str:
        return f"{self.place}. {self.sky_object}"

    @property
    def terms(self) -> dict[str, dict[str, Any]]:
        """Term -> its ``score``, ``weight`` and ``reason``."""
        return self.ranking.places.terms(self.place, self.ranking.weights)

    @property
    def vetoes(self) -> dict[str, dict[str, Any]]:
        """Veto -> its ``reason`` and ``until`` (MJD; None where no date is known), of those that are against it."""
        return self.ranking.places.vetoed(self.place)

    @property
    def visibility(self) -> dict[str, Any]:
        """Its night: ``times`` (MJD), ``altitude`` and ``moon_altitude`` (degrees), ``moon_separation`` (degrees; None without a night)."""
        return self.ranking.places.visibility(self.place)
