"""Background tasks: work with the immediate backend as well as with a database and workers (``manage.py db_worker``)."""

from __future__ import annotations

from typing import Any

from django_tasks import task

from tom_alerce import pipeline


@task()
def classify(sky_object_ids: list[int] | None = None) -> dict[str, Any]:
    """Classify objects whose evidence is new, all of them or these; what `pipeline.classify` says, as JSON."""
    done = pipeline.classify(sky_object_ids)
    return {"words": dict(done.words), "silent": dict(done.silent), "promoted": done.promoted, "problems": done.problems}


@task()
def rank(site: str | None = None, at: float | None = None) -> int:
    """Rank for tonight; the key of the ranking."""
    key: int = pipeline.rank(site, at).row.pk
    return key
