"""Incidents: what is wrong is announced once when it begins, and once when it is over, in the transaction that notes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from tom_alerce.models import Incident
from tom_alerce.store import outbox
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.symptoms import DRIFT, Symptom

#: Incidents that are over and shown.
LATEST = 10


@dataclass(frozen=True, slots=True)
class Changes:
    """Incidents that have begun, and those that are over."""

    opened: Sequence[Incident]
    closed: Sequence[Incident]


def note(symptoms: Sequence[Symptom]) -> Changes:
    """Compare what is wrong now with the open incidents; each is opened once, also by two that note at the same time."""
    now, wrong = timezone.now(), {sanitize_text(one.key)[:300]: sanitize_text(one.text)[:2000] for one in symptoms}
    opened, closed = list[Incident](), list[Incident]()
    with transaction.atomic():
        known = {one.key: one for one in Incident.objects.select_for_update().filter(closed=None)}
        for key, text in wrong.items():
            if key not in known:
                incident, new = Incident.objects.get_or_create(key=key, closed=None, defaults={"text": text, "opened": now})
                if new:
                    opened.append(incident)
                    _announce(incident, text)
            elif known[key].text != text:
                Incident.objects.filter(pk=known[key].pk).update(text=text)
        for key, incident in known.items():
            if key not in wrong:
                incident.closed = now
                incident.save(update_fields=["closed"])
                closed.append(incident)
                _announce(incident, f"Over since {now:%Y-%m-%d %H:%M} UTC: {incident.text}")
    return Changes(opened, closed)


def _announce(incident: Incident, text: str) -> None:
    """Tell people; drift is told of by who measures it (`tom_alerce.pipeline.drift`)."""
    if incident.key != DRIFT:
        key = f"{incident.key[-150:]} {incident.pk}{' over' if incident.closed else ''}"
        title = f"{'Over: ' if incident.closed else ''}{incident.text}"[:200]
        outbox.announce(outbox.Kind.SILENT, key, title, text, url=reverse("tom_alerce:health"))


def shown() -> list[Incident]:
    """The open incidents, the oldest first, and the latest of those that are over."""
    return [*Incident.objects.filter(closed=None).order_by("opened"), *Incident.objects.exclude(closed=None).order_by("-closed")[:LATEST]]
