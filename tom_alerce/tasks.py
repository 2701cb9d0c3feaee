"""Background tasks: work with the immediate backend as well as with a database and workers (``manage.py db_worker``)."""

from __future__ import annotations

from typing import Any

from django_tasks import task

from tom_alerce.pipeline import classify as classification
from tom_alerce.pipeline import drift
from tom_alerce.pipeline import explain as explanation
from tom_alerce.pipeline import rank as ranking


@task()
def classify(sky_object_ids: list[int] | None = None) -> dict[str, Any]:
    """Classify objects whose evidence is new, all of them or these; what `tom_alerce.pipeline.classify` says, as JSON."""
    done = classification.classify(sky_object_ids)
    return {"words": dict(done.words), "silent": dict(done.silent), "promoted": done.promoted, "problems": done.problems}


@task()
def rank(site: str | None = None, at: float | None = None) -> int:
    """Rank for tonight; the key of the ranking."""
    key: int = ranking.rank(site, at).row.pk
    return key


@task()
def measure_drift(nights: int = 1) -> dict[str, int]:
    """Compare the last nights with what the stamp classifier was trained on; night -> number of alerts that were looked at."""
    return {str(night): drift.measure(night).n for night in drift.nights(nights)}


@task()
def explain(sky_object_ids: list[int]) -> int:
    """Store what the stamp classifier looked at in these objects' first alerts; the number of new maps."""
    return len(explanation.explain(explanation.explainable(sky_object_ids)))
