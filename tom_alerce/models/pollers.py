"""Table of the pollers: what is to be asked of remote services, each question once, and how far it has got."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from broker_adapters.records import SURVEY_WIDTH


class PollTask(models.Model):
    """A question to a broker that some worker asks when it is due, and asks again until it is answered or its deadline has passed."""

    class State(models.TextChoices):
        """How far it has got."""

        WAITING = "waiting", "to be asked"
        REMOTE = "remote", "submitted, the service works on it"
        DONE = "done", "answered"
        FAILED = "failed", "cannot be answered"
        EXPIRED = "expired", "not answered in time"

    #: States in which a task is not over.
    OPEN: ClassVar = (State.WAITING, State.REMOTE)

    action = models.CharField(max_length=16, help_text="a module of tom_alerce.pipeline.pollers: search, fetch, forced")
    broker = models.CharField(max_length=100, help_text="a name of TOM_ALERCE['BROKERS']")
    survey = models.CharField(max_length=SURVEY_WIDTH, blank=True)
    subject = models.CharField(max_length=200, help_text="object id, name of a query, or key of a target")
    request = models.JSONField(default=dict, help_text="what else the action needs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due = models.DateTimeField(help_text="when to ask next")
    attempts = models.PositiveIntegerField(default=0, help_text="failures so far")
    deadline = models.DateTimeField(help_text="when to give up")
    handle = models.JSONField(null=True, help_text="what the service calls it once it is submitted")
    error = models.TextField(blank=True, help_text="why the latest attempt failed, or what became of it")
    claim = models.CharField(max_length=32, blank=True, help_text="the worker that has it")
    claimed_until = models.DateTimeField(null=True, help_text="when another worker may take it, since this one is dead")
    created = models.DateTimeField(auto_now_add=True)
    tried = models.DateTimeField(null=True, help_text="when it was asked last")
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["broker", "action", "survey", "subject"],
                condition=Q(state__in=("waiting", "remote")),
                name="alerce_one_open_poll_task",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["due"], condition=Q(state__in=("waiting", "remote")), name="alerce_poll_due"),
            models.Index(fields=["broker", "tried"], name="alerce_poll_tried"),
            models.Index(fields=["survey", "subject"], name="alerce_poll_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.broker}: {self.action} {self.survey} {self.subject}".replace("  ", " ")
