"""Tables of events: what observatories have said of each, version by version, and the objects that may be their counterparts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from broker_adapters.notice import Messenger, Role
from tom_alerce.models.sky import SkyObject


class SkyEvent(models.Model):
    """One event, as the version of it that counts says; the other versions are kept."""

    name = models.CharField(max_length=128, unique=True)
    messenger = models.CharField(max_length=24, choices=[(one.value, one.value) for one in Messenger])
    role = models.CharField(max_length=12, choices=[(one.value, one.value) for one in Role])
    mjd = models.FloatField(null=True, db_index=True, help_text="MJD UTC; null after a retraction of what was never heard of")
    retracted = models.BooleanField(default=False)
    placed = models.ForeignKey("EventVersion", null=True, on_delete=models.SET_NULL, related_name="+", help_text="the latest with a place")
    area = models.FloatField(null=True, help_text="square degrees of the region of 90 %")
    cover = models.BinaryField(null=True, help_text="a bit for each HEALPix cell of order 5 that its region may touch")
    background = models.FloatField(null=True, help_text="unrelated objects first seen there in a day")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class EventVersion(models.Model):
    """One notice of an event."""

    event = models.ForeignKey(SkyEvent, on_delete=models.CASCADE, related_name="versions")
    digest = models.CharField(max_length=64, help_text="SHA-256 of what the notice says")
    stage = models.CharField(max_length=40, help_text="as the observatory calls it")
    number = models.PositiveIntegerField(default=0)
    issued = models.FloatField(help_text="MJD UTC")
    mjd = models.FloatField(null=True, help_text="of the event, MJD UTC")
    retracted = models.BooleanField(default=False)
    far = models.FloatField(null=True, help_text="Hz")
    classes = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    cone = models.JSONField(null=True, help_text="fields of broker_adapters.notice.Cone; null where there is a map, or no place")
    map = models.BinaryField(null=True, help_text="columns of broker_adapters.skymap.SkyMap, compressed")
    area_50 = models.FloatField(null=True, help_text="square degrees")
    area_90 = models.FloatField(null=True, help_text="square degrees")
    distance = models.FloatField(null=True, help_text="Mpc, mean at the best place")
    distance_err = models.FloatField(null=True, help_text="Mpc")
    received = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "digest"], name="alerce_unique_event_version")]

    def __str__(self) -> str:
        return f"{self.event_id} {self.stage}"


class EventCandidate(models.Model):
    """One sky object in the region and the time of an event, and what people say of it."""

    class Status(models.TextChoices):
        """What people say of it."""

        PENDING = "pending"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    event = models.ForeignKey(SkyEvent, on_delete=models.CASCADE, related_name="candidates")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="event_candidates")
    level = models.FloatField(help_text="credible level of its place, by the version that counts")
    mu = models.FloatField(null=True, help_text="distance of the event there, Mpc; null where it is not known")
    sigma = models.FloatField(null=True, help_text="Mpc")
    norm = models.FloatField(null=True, help_text="Mpc^-2")
    share = models.FloatField(null=True, help_text="area of the region of that level, over that of 90 %")
    delay = models.FloatField(help_text="days from the event to the first detection")
    early = models.BooleanField(default=False, help_text="seen before the event, which rules it out")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    text = models.CharField(max_length=500, blank=True, help_text="why")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "sky_object"], name="alerce_unique_event_candidate")]

    def __str__(self) -> str:
        return f"{self.sky_object_id} in {self.event_id}"
