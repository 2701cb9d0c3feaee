"""Tells of objects whose class by a classifier of ours is another than before, of those that a rule is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tom_alerce.models import Classification, SkyObject
from tom_alerce.store import interest
from tom_alerce.store.outbox import Kind, announce_all, made


def asked(rows: Sequence[Classification]) -> set[int]:
    """Objects of these new classifications about which somebody wants to know."""
    return interest.wanted((row.sky_object_id for row in rows if row.label), Kind.CLASS)


def note(rows: Iterable[Classification], before: Mapping[tuple[int, str], Classification], keys: set[int]) -> None:
    """Announce those of new classifications that differ from the one before by the same classifier: (object, classifier) -> that."""
    changed = [(row, before[row.sky_object_id, row.classifier]) for row in rows if (row.sky_object_id, row.classifier) in before]
    changed = [(new, old) for new, old in changed if new.sky_object_id in keys and new.label and new.label != old.label]
    skies = SkyObject.objects.prefetch_related("survey_objects").in_bulk({new.sky_object_id for new, _ in changed})
    announce_all(
        made(
            Kind.CLASS,
            f"{new.sky_object_id} {new.classifier} {new.version} {new.evidence}"[:200],
            f"{skies[new.sky_object_id].public_name} is {new.label}, was {old.label}",
            f"by {new.classifier}: {new.label} {new.probability:.2f}, before {old.label} {old.probability:.2f}",
            skies[new.sky_object_id],
            facts={"class": new.label, "before": old.label, "probability": new.probability},
        )
        for new, old in changed
    )
