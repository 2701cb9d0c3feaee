"""Classify objects with new evidence, then make targets of those that a promotion rule wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from broker_adapters import plugins
from classifiers.records import Classifier, ClassifierError
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.pipeline import promotion
from tom_alerce.pipeline.ingest import Progress
from tom_alerce.store import classifications, sky
from tom_alerce.store.sql import chunks

#: Objects that are read and classified at a time: their stamps are in memory together.
_CLASSIFIED_AT_ONCE = 256


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
    module = plugins.load("classifiers.models", name)
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
