"""Background tasks; they run with the immediate backend, or with a database and workers (``manage.py db_worker``)."""

from __future__ import annotations

from typing import Any

from django_tasks import Task, task
from django_tasks.backends.dummy import DummyBackend
from django_tasks.backends.immediate import ImmediateBackend

from tom_alerce import conf
from tom_alerce.pipeline import classify as classification
from tom_alerce.pipeline import deliver, drift, lists
from tom_alerce.pipeline import explain as explanation
from tom_alerce.pipeline import rank as ranking
from tom_alerce.pipeline.pollers import queue
from tom_alerce.requests import sync


def workers_serve(one: Task[Any, Any]) -> bool:
    """Whether a worker does this task: with the immediate backend the web process would, and with the dummy backend nobody."""
    return not isinstance(one.get_backend(), (ImmediateBackend, DummyBackend))


@task()
def classify(sky_object_ids: list[int] | None = None) -> dict[str, Any]:
    """Classify objects with new evidence, all of them or these; `tom_alerce.pipeline.classify.Classified` as JSON."""
    done = classification.classify(sky_object_ids)
    return {
        "classified": dict(done.classified),
        "undecided": dict(done.undecided),
        "promoted": done.promoted,
        "refused": {name: str(why) for name, why in done.refused.items()},
        "problems": done.problems,
    }


@task()
def rank(site: str | None = None, at: float | None = None) -> int:
    """Rank for tonight by the profiles of the settings; return the key of the stored ranking by the first."""
    key: int = ranking.several(conf.get("PROFILES"), site and [site], at)[0].row.pk
    return key


@task()
def measure_drift(nights: int = 1) -> dict[str, int]:
    """Compare the last nights with the training set of the stamp classifier; return night -> number of alerts compared."""
    return {str(night): drift.measure(night).n for night in drift.nights(nights)}


@task()
def explain(sky_object_ids: list[int]) -> int:
    """Store maps that explain the stamp classifier's class of these objects' first alerts; return the number of new maps."""
    return len(explanation.explain(explanation.explainable(sky_object_ids)))


@task()
def poll(seconds: float = 540.0) -> dict[str, Any]:
    """Let the queue of the pollers do what is due, within so many seconds; what came of the steps, by broker, and what went wrong."""
    queue.refill()
    report = queue.serve(seconds)
    steps = {f"{broker}: {what}": n for (broker, what), n in report.steps.items()}
    return {"steps": steps, "expired": report.expired, "problems": report.problems}


@task()
def follow_requests() -> dict[str, Any]:
    """Follow the requests to facilities (`tom_alerce.requests.sync.sync`); how many reached which state, and what went wrong."""
    report = sync.sync()
    return {"reached": dict(report.reached), "problems": report.problems}


@task()
def notify() -> dict[str, int]:
    """Search for new lists, and tell people what has happened (`tom_alerce.pipeline.deliver`); how many deliveries came to what."""
    lists.search()
    return dict(deliver.deliver().counts)
