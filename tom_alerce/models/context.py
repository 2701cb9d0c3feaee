"""Tables of the surroundings: what the Transient Name Server has named, what remote catalogues have answered, and hosts by people."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.sky import SkyObject


class TnsObject(models.Model):
    """An object of the Transient Name Server, as its public table has it."""

    objid = models.PositiveBigIntegerField(primary_key=True, help_text="number at TNS")
    prefix = models.CharField(max_length=8, help_text="AT, SN, TDE")
    name = models.CharField(max_length=16, db_index=True, help_text="year and letters")
    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    healpix = models.BigIntegerField(db_index=True, help_text="nested index of order 12")
    type = models.CharField(max_length=32, blank=True, help_text="spectroscopic class; empty if it has none")
    redshift = models.FloatField(null=True)
    discovered = models.FloatField(null=True, help_text="MJD UTC")
    magnitude = models.FloatField(null=True, help_text="at discovery")
    filter = models.CharField(max_length=32, blank=True)
    group = models.CharField(max_length=64, blank=True, help_text="who reported it")
    internal_names = models.JSONField(default=list, help_text="names that surveys gave it")
    digest = models.BigIntegerField(help_text="changes with the contents")

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://www.wis-tns.org/object/{self.name}"


class TnsName(models.Model):
    """A name that a survey gave an object of TNS."""

    name = models.CharField(max_length=64, db_index=True)
    tns_object = models.ForeignKey(TnsObject, on_delete=models.CASCADE, related_name="names")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tns_object", "name"], name="alerce_unique_tns_name")]

    def __str__(self) -> str:
        return self.name


class SkyCell(models.Model):
    """What a remote catalogue answered for one cell of the sky."""

    catalogue = models.CharField(max_length=64, help_text="plug-in, with its arguments")
    healpix = models.BigIntegerField(help_text="nested index of order 12")
    rows = models.BinaryField(help_text="NumPy's npy of broker_adapters.catalogue.SOURCE")
    fetched = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["catalogue", "healpix"], name="alerce_unique_sky_cell")]

    def __str__(self) -> str:
        return f"{self.catalogue} {self.healpix}"


class HostChoice(models.Model):
    """What one person has said of the host of one sky object; undone it counts no more, and is kept."""

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="host_choices")
    galaxy = models.CharField(max_length=64, blank=True, help_text="its name then; empty: none of the catalogued ones")
    ra = models.FloatField(null=True, help_text="of the galaxy, degrees, ICRS")
    dec = models.FloatField(null=True, help_text="degrees, ICRS")
    text = models.CharField(max_length=500, blank=True, help_text="why")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    undone = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sky_object"], condition=models.Q(undone=None), name="alerce_one_host_choice"),
        ]

    def __str__(self) -> str:
        return f"{self.galaxy or 'none of the catalogued galaxies'}, by {self.by}"

    @property
    def by(self) -> str:
        """Name of its author; accounts are deleted, choices are not."""
        return "a former user" if self.author is None else self.author.get_username()
