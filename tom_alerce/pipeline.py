"""The whole chain, bytes to requests: the only module that knows it all, and it holds no science.

A message or an object that an adapter cannot read is noted and passed over; that is the only place where an error of one item is caught.
Everything that is written is idempotent, so that any step may be repeated after a failure.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

from django.utils import timezone

from broker_adapters import plugins, surveys
from broker_adapters.errors import AdapterError, SourceError
from broker_adapters.records import Alert, Broker, Kind, Query
from broker_adapters.sources.files import Packet
from classifiers.records import Classifier, ClassifierError
from followup import rank as ranking
from followup import sites, visibility
from followup.plan import plan as make_plan
from followup.records import Candidate, Limits, Night, ObservationRequest, Ranking
from tom_alerce import conf, models, promotion
from tom_alerce.store import alerts as store
from tom_alerce.store import classifications, dead_letters, rankings, sky, watermarks
from tom_alerce.store.candidates import candidates as load_candidates
from tom_alerce.store.dead_letters import Refused
from tom_alerce.store.sql import chunks
from tom_alerce.submit import options_of

logger = logging.getLogger(__name__)

Progress = Callable[[int], object]

#: Objects that are read and classified at a time: their stamps are in memory together.
_CLASSIFIED_AT_ONCE = 256
_UNIX_MJD = 40587.0


@dataclass(slots=True)
class Report:
    """What a run did: messages read by survey, those without a detection, refused ones, what was new, and why it is not complete."""

    read: Counter[str] = field(default_factory=Counter)
    bare: int = 0
    refused: int = 0
    saved: store.Saved = field(default_factory=store.Saved)
    problem: SourceError | None = None
    last_mjd: float | None = None

    def __str__(self) -> str:
        by_survey = ", ".join(f"{n} {survey}" for survey, n in sorted(self.read.items())) or "nothing"
        by_survey += f" ({self.bare} without a detection)" if self.bare else ""
        new = self.saved
        text = (
            f"read {by_survey}; refused {self.refused}; new: {new.sky_objects} sky objects, {new.survey_objects} survey objects, "
            f"{new.detections} measurements, {new.labels} labels; {new.ambiguous} ambiguous"
        )
        return f"{text}; incomplete: {self.problem}" if self.problem else text


def ingest(packets: Iterable[Packet], progress: Progress = lambda n: None, report: Report | None = None) -> Report:
    """Read packets of any survey and messages of any broker, and write what is in them; what no adapter reads becomes a dead letter.

    With a ``report`` of what went before, this run is added to it.
    """
    report = report or Report()

    def readable() -> Iterator[Alert | Refused]:
        for packet in packets:
            try:
                yield read(packet.data)
            except AdapterError as error:
                yield Refused.of(*packet, error)

    _write(readable(), report, progress)
    return report


def read(data: bytes) -> Alert:
    """The alert in a broker's message or in a survey's packet.

    Raises
    ------
    PacketError
        It is neither, or it is damaged.
    """
    for broker in _messengers():
        if broker.recognises(data):
            alert: Alert = broker.read(data)
            return alert
    return surveys.read(data)


@lru_cache
def _messengers() -> tuple[ModuleType, ...]:
    """Brokers that have messages of their own."""
    found = (plugins.load("broker_adapters.brokers", name) for name in plugins.names("broker_adapters.brokers"))
    return tuple(broker for broker in found if hasattr(broker, "recognises"))


def ingest_alerts(alerts: Iterable[Alert], progress: Progress = lambda n: None) -> Report:
    """Write alerts as they come from a broker; what a broker fails to deliver ends the run, and the report says so."""
    report = Report()
    _write(alerts, report, progress)
    return report


def _write(items: Iterable[Alert | Refused], report: Report, progress: Progress) -> None:
    def until_it_ends() -> Iterator[Alert | Refused]:
        try:
            yield from items
        except SourceError as error:
            report.problem = error

    for batch in chunks(until_it_ends(), conf.get("BATCH")):
        alerts = [item for item in batch if isinstance(item, Alert)]
        report.saved += store.save(alerts)
        report.refused += dead_letters.save(item for item in batch if isinstance(item, Refused))
        report.read.update(a.survey for a in alerts)
        report.bare += sum(not (a.detections["kind"] == Kind.ALERT).any() for a in alerts)
        report.last_mjd = max([*(a.mjd for a in alerts), report.last_mjd or 0.0]) or None
        progress(len(batch))


def client(name: str) -> Broker:
    """The client of a broker, with its settings; LookupError where neither the settings nor a plug-in know it."""
    options = conf.broker(name)
    broker: Broker = plugins.load("broker_adapters.brokers", name).Client(**options)
    return broker


def poll(name: str, query: Query, progress: Progress = lambda n: None) -> Report:
    """Ask a broker what is new since the last complete answer to the same query, with a day of overlap, and write it.

    ``query.since`` outweighs what is remembered. An answer that was cut by ``query.limit``, or broken off, is not remembered as complete.
    """
    source = f"{name} {query.survey} {query.classifier or ''} {query.label or ''} {query.probability or ''}".strip()
    if query.since is None and not query.object_ids:
        mark = watermarks.get(source)
        since = now() - conf.get("POLL_DAYS") if mark is None else mark - 1.0
        query = replace(query, since=since)
    broker = client(name)
    report = ingest_alerts(broker.search(query), progress)
    # a client passes over the objects of which it cannot read the answer, and remembers them
    report.refused += dead_letters.save(Refused.of(source, oid, b"", why) for oid, why in getattr(broker, "rejected", ()))
    if report.problem is None and report.read.total() >= query.limit:
        logger.warning("%s: the answer was cut at %d objects; ask for more, or narrow the query", source, query.limit)
    elif report.problem is None and report.last_mjd is not None:
        watermarks.advance(source, report.last_mjd)
    return report


@dataclass(slots=True)
class Classified:
    """What the classifiers did: words by classifier, those that could not say among them, targets made, and classifiers that failed."""

    words: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    promoted: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = ", ".join(f"{name}: {n} words ({self.silent[name]} cannot say)" for name, n in self.words.items()) or "nothing new"
        text += f"; {len(self.promoted)} promoted"
        return text + "".join(f"; {name} failed: {why}" for name, why in self.problems.items())


def classify(sky_object_ids: Iterable[int] | None = None, progress: Progress = lambda n: None) -> Classified:
    """Show the classifiers of the settings every object (or these) whose evidence is new to them, then apply the promotion rules.

    The rules are asked about what was classified, and about whatever else was seen within ``RANK_DAYS`` (or these objects): a broker's word
    comes without new evidence, and the rules themselves change.
    """
    done = Classified()
    loaded = {name: model for name in conf.get("CLASSIFIERS") if (model := _load(name, done)) is not None}
    wanted = {name: _unseen(model, sky_object_ids) for name, model in loaded.items()}
    for ids in chunks(sorted(set().union(*wanted.values())), _CLASSIFIED_AT_ONCE):
        skies = models.SkyObject.objects.in_bulk(ids)
        objects = dict(zip(skies, sky.load(list(skies), stamps=True), strict=True))
        for name, model in loaded.items():
            mine = [pk for pk in skies if pk in wanted[name]]
            if mine and name not in done.problems:
                _predict(name, model, [skies[pk] for pk in mine], [objects[pk] for pk in mine], done)
        done.promoted += promotion.promote(ids)
        progress(len(ids))
    done.promoted += promotion.promote(recent() if sky_object_ids is None else sky_object_ids)
    return done


def recent() -> list[int]:
    """Keys of the objects that were seen within ``RANK_DAYS``."""
    return list(models.SkyObject.objects.filter(last_mjd__gte=now() - conf.get("RANK_DAYS")).values_list("pk", flat=True))


def count_unseen() -> int:
    """How many objects `classify` would look at; loads the classifiers."""
    found = (_unseen(model, None) for name in conf.get("CLASSIFIERS") if (model := _load(name, Classified())) is not None)
    return len(set().union(*found))


@lru_cache
def classifier(name: str) -> Classifier:
    """The classifier of that name with its shipped weights, made once in a process.

    Raises
    ------
    ClassifierError
        Its weights are missing or changed.
    LookupError
        There is no such classifier.
    """
    module = plugins.load("classifiers", name)
    if not hasattr(module, "Model"):
        raise LookupError(f"{name!r} is no classifier: it has no class Model")
    model: Classifier = module.Model()
    return model


def _load(name: str, done: Classified) -> Classifier | None:
    try:
        return classifier(name)
    except (ClassifierError, LookupError) as error:
        done.problems[name] = str(error)
        return None


def _unseen(model: Classifier, ids: Iterable[int] | None) -> set[int]:
    keys = set(classifications.unseen(model.name, model.version).values_list("pk", flat=True))
    return keys if ids is None else keys & set(ids)


def _predict(name: str, model: Classifier, skies: Sequence[models.SkyObject], objects: Sequence[Any], done: Classified) -> None:
    try:
        said = model.predict(objects)
    except ClassifierError as error:
        done.problems[name] = str(error)
    else:
        done.words[name] += classifications.save(said, skies)
        done.silent[name] += sum(label is None for label in said.labels)


@dataclass(frozen=True)
class Ranked:
    """A ranking, the row in which it is stored, if it is, and the records that it was made of."""

    row: models.Ranking | None
    ranking: Ranking
    candidates: Sequence[Candidate]
    night: Night


def rank(
    site: str | Mapping[str, Any] | None = None,
    at: float | None = None,
    sky_object_ids: Iterable[int] | None = None,
    keep: bool = True,
) -> Ranked:
    """Rank what was seen lately (or these objects) for what is left of the night, or for the coming one, and store the ranking.

    Parameters
    ----------
    site : str or mapping, optional
        As ``SITE`` in the settings, which it replaces.
    at : float, optional
        MJD, UTC; now.
    sky_object_ids : iterable of int, optional
        Objects to rank, whatever their age.
    keep : bool
        False stores nothing: a question about one object is not the night's ranking.

    Raises
    ------
    FollowupError
        No such site, term or limit.
    """
    at = now() if at is None else at
    where = sites.site(conf.get("SITE") if site is None else site)
    lately = {"last_mjd__gte": at - conf.get("RANK_DAYS"), "first_mjd__lte": at}
    which = lately if sky_object_ids is None else {"pk__in": list(sky_object_ids)}
    candidates = load_candidates(models.SkyObject.objects.filter(moving=False, **which))
    ra, dec = ([getattr(c, name) for c in candidates] for name in ("ra", "dec"))
    night = visibility.night(where, ra, dec, at, Limits(**conf.get("LIMITS")))
    made = ranking.rank(candidates, night, conf.get("TERMS") or ranking.DEFAULT_TERMS)
    row = rankings.save(made, night, candidates, conf.get("RANK_LIMIT")) if keep else None
    return Ranked(row, made, candidates, night)


def plan(ranked: Ranked, **options: Any) -> list[ObservationRequest]:
    """Requests for the best of a ranking, as ``FACILITY`` in the settings says; nothing is stored (see `tom_alerce.submit.draft`)."""
    given = {"facility": conf.get("FACILITY").get("name", "lco"), **options_of(make_plan), **options}
    return make_plan(ranked.ranking, ranked.candidates, ranked.night, **given)


def now() -> float:
    """MJD, UTC, of this moment."""
    return timezone.now().timestamp() / 86400.0 + _UNIX_MJD
