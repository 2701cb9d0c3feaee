"""What has happened, who wants to be told of it and where, and what was told."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from tom_common.encryption import EncryptedModelField

from tom_alerce.models.requests import FollowupRequest
from tom_alerce.models.sky import SkyObject
from tom_alerce.models.watch import Watch


class Event(models.Model):
    """Something that has happened, once; it is written in the transaction in which it happens, and told afterwards."""

    class Kind(models.TextChoices):
        """What has happened."""

        NEW = "new", "is new"
        RISES = "rises", "rises"
        BRIGHTENS = "brightens", "brightens"
        CLASS = "class", "changes its class"
        TOP = "top", "enters the top of a ranking"
        FILTER = "filter", "passes a saved filter"
        REQUEST = "request", "a request changes its state"
        DRIFT = "drift", "a classifier's input drifts"
        SILENT = "silent", "a stream is silent or late"
        NOTICE = "notice", "an observatory tells of an event"

    event = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=200, help_text="what it is the same by")
    title = models.CharField(max_length=200, help_text="with public names alone")
    text = models.TextField(blank=True)
    sky_object = models.ForeignKey(SkyObject, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    request = models.ForeignKey(FollowupRequest, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    watch = models.ForeignKey(Watch, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="where it was found")
    profile = models.CharField(max_length=100, blank=True, help_text="of the ranking that it is about")
    url = models.CharField(max_length=300, blank=True, help_text="path of the page that shows it")
    facts = models.JSONField(default=dict, blank=True, help_text="numbers that rules ask for")
    created = models.DateTimeField(auto_now_add=True)
    spread = models.BooleanField(default=False, help_text="the rules have been asked")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "key"], name="alerce_unique_event")]
        indexes: ClassVar = [models.Index(fields=["id"], condition=models.Q(spread=False), name="alerce_event_waiting")]

    def __str__(self) -> str:
        return self.title


class WithoutSecret(models.Manager["Channel"]):
    """Channels whose secrets stay in the database until one is sent to: one that cannot be decrypted ends no query."""

    def get_queryset(self) -> models.QuerySet[Channel]:
        """All channels."""
        return super().get_queryset().defer("secret")


class Channel(models.Model):
    """Where a person wants to be told: a plug-in of ``tom_alerce/notify`` with its address."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerce_channels")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=100, help_text="plug-in of tom_alerce/notify")
    address = models.JSONField(default=dict, blank=True, help_text="what is no secret")
    secret = EncryptedModelField(null=True, blank=True, help_text="JSON of what is")
    group = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who else reads it: it is told what all of them may see",
    )
    active = models.BooleanField(default=True)
    problem = models.CharField(max_length=300, blank=True, help_text="what it last answered, if that was no yes")
    leased = models.DateTimeField(null=True, blank=True, help_text="a worker sends to it until then")
    created = models.DateTimeField(auto_now_add=True)

    objects = WithoutSecret()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="alerce_unique_channel")]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """Of which events a person wants to be told, through which channels, and when."""

    class Pace(models.TextChoices):
        """How soon."""

        NOW = "now", "at once"
        HOUR = "hour", "once an hour, together"
        DAY = "day", "once a day, in the afternoon at the site"

    class Quiet(models.TextChoices):
        """When nothing is sent."""

        NEVER = "", "never"
        NIGHT = "night", "during the night at the site"
        DAY = "day", "during the day at the site"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerce_rules")
    name = models.CharField(max_length=100)
    events = models.JSONField(default=list, help_text="of Event.Kind")
    watch = models.ForeignKey(Watch, null=True, blank=True, on_delete=models.CASCADE, related_name="rules")
    filter = models.CharField(max_length=100, blank=True, help_text="name of a saved filter")
    profile = models.CharField(max_length=100, blank=True, help_text="name of a profile: what is in its current ranking")
    rise = models.FloatField(default=0.3, help_text="least rise, magnitudes per day")
    brighter = models.FloatField(default=0.5, help_text="least brightening, magnitudes")
    top = models.PositiveSmallIntegerField(default=10, help_text="places that are the top of a ranking")
    channels = models.ManyToManyField(Channel, related_name="rules", blank=True)
    pace = models.CharField(max_length=4, choices=Pace.choices, default=Pace.NOW)
    quiet = models.CharField(max_length=5, choices=Quiet.choices, default=Quiet.NEVER, blank=True)
    per_hour = models.PositiveSmallIntegerField(default=20, help_text="messages in an hour at most; what is beyond comes together later")
    active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="alerce_unique_rule")]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event told, or to be told, by one rule through one channel."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "given up"
        DROPPED = "dropped", "not sent"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    why = models.CharField(max_length=300, help_text="what of the rule the event meets")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due = models.DateTimeField(help_text="when it may be sent")
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=32, blank=True, help_text="identity of the message that it was sent in")
    answer = models.CharField(max_length=300, blank=True, help_text="what the channel said, or why it was not sent")
    read = models.BooleanField(default=False, help_text="its owner has seen it in the TOM")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "rule", "channel"], name="alerce_unique_delivery"),
            models.UniqueConstraint(fields=["event", "channel"], condition=models.Q(state="sent"), name="alerce_sent_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["channel", "due"], condition=models.Q(state="waiting"), name="alerce_delivery_due")]

    def __str__(self) -> str:
        return f"{self.event_id} by {self.rule_id} through {self.channel_id}: {self.state}"
