"""Removes what is older than `KEEP_DAYS` in the settings: rankings, dead letters, light rows of alerts, stamps, old
classifications, tasks of pollers that are over, events that people were told of, mock events of observatories.

The current ranking of each site and profile stays, and so do objects, their measurements, their current classifications, and all that
belongs to a target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from django.db.models import Exists, F, Max, Min, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from broker_adapters.notice import Role
from tom_alerce import conf
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, DeadLetter, Event, EventCandidate, PassedAlert, PollTask, Ranking, SkyEvent, Stamps
from tom_alerce.store import beats
from tom_alerce.store.classifications import LOCAL
from tom_alerce.store.sql import chunks

#: Rows of each kind that one call removes, and days before the limit that a call from the pipeline looks at: its work is bounded.
AT_ONCE, WINDOW = 2000, 7.0
#: Times as many for kinds of which the rows are lighter, or heavier, than others.
_MORE: Mapping[str, float] = MappingProxyType({"rankings": 0.01, "passed": 50.0, "mocks": 0.1})


def keep_days() -> dict[str, float | None]:
    """Days that each kind is kept, with the defaults of those that the settings do not name; None: for ever."""
    return {**conf.DEFAULTS["KEEP_DAYS"], **conf.get("KEEP_DAYS")}


def old(kind: str, window: float | None = None) -> QuerySet[Model]:
    """Rows of a kind that are older than they are kept; of those only the ones of the last ``window`` days before that, if it is given."""
    days = keep_days()[kind]
    return _KINDS[kind](days, window) if days is not None else Ranking.objects.none()


def prune(window: float | None = WINDOW) -> dict[str, int]:
    """Remove at most `AT_ONCE` rows of each kind; return how many were removed of each (rankings count, not their places)."""
    removed = {}
    for kind in _KINDS:
        rows = old(kind, window)
        most = int(AT_ONCE * _MORE.get(kind, 1.0))
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:most])
        for part in chunks(keys):
            rows.model._default_manager.filter(pk__in=part).delete()
        removed[kind] = len(keys)
    beats.forget()
    return removed


def _rankings(days: float, window: float | None) -> QuerySet[Ranking]:
    """Few are left of before the window: it is not needed."""
    current = Ranking.objects.filter(supposed=False).values("site", "profile").annotate(latest=Max("pk")).values("latest")
    return Ranking.objects.filter(created__lt=_ago(days)).exclude(pk__in=current)


def _dead_letters(days: float, window: float | None) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(created__lt=_ago(days))


def _passed(days: float, window: float | None) -> QuerySet[PassedAlert]:
    """The keys ascend nearly as the time does: with a window only the first of them are looked at."""
    rows = PassedAlert.objects.filter(mjd__lt=now_mjd() - days)
    if window is None:
        return rows
    first = PassedAlert.objects.aggregate(first=Min("pk"))["first"] or 0
    return rows.filter(pk__lt=first + AT_ONCE * _MORE["passed"])


def _stamps(days: float, window: float | None) -> QuerySet[Stamps]:
    """Stamps of objects without a target that were not seen since."""
    limit = now_mjd() - days
    seen = Q(survey_object__last_mjd__lt=limit, survey_object__sky_object__last_mjd__lt=limit)
    if window is not None:
        seen &= Q(survey_object__last_mjd__gte=limit - window)
    return Stamps.objects.filter(seen, survey_object__sky_object__target=None)


def _history(days: float, window: float | None) -> QuerySet[Classification]:
    """Classifications that a later one of the same classifier has replaced, and that are not of the present evidence."""
    same = ("sky_object", "origin", "classifier")
    later = Classification.objects.filter(**{name: OuterRef(name) for name in same}, pk__gt=OuterRef("pk"))
    of_member = Q(survey_object=OuterRef("survey_object")) | Q(survey_object=None)
    rows = Classification.objects.filter(Exists(later.filter(of_member)), created__lt=_ago(days))
    if window is not None:
        rows = rows.filter(created__gte=_ago(days + window))
    return rows.exclude(origin=LOCAL, evidence=F("sky_object__evidence"))


def _polls(days: float, window: float | None) -> QuerySet[PollTask]:
    """Tasks of pollers that are over."""
    return PollTask.objects.filter(finished__lt=_ago(days))


def _events(days: float, window: float | None) -> QuerySet[Event]:
    return Event.objects.filter(created__lt=_ago(days))


def _mocks(days: float, window: float | None) -> QuerySet[SkyEvent]:
    """Mock and test events of observatories, of which nobody has said anything."""
    said = EventCandidate.objects.filter(event=OuterRef("pk"), decided_at__isnull=False)
    return SkyEvent.objects.exclude(role=Role.OBSERVATION.value).filter(~Exists(said), modified__lt=_ago(days))


def _ago(days: float) -> object:
    return timezone.now() - timedelta(days=days)


_KINDS: Mapping[str, Callable[[float, float | None], QuerySet[Model]]] = MappingProxyType(
    {
        "rankings": _rankings,
        "dead_letters": _dead_letters,
        "passed": _passed,
        "stamps": _stamps,
        "history": _history,
        "polls": _polls,
        "events": _events,
        "mocks": _mocks,
    }
)
