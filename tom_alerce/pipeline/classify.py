"""Classifies objects with new evidence, works out their outlooks, then makes targets of those that meet a promotion rule."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from broker_adapters import plugins
from classifiers.records import Classifier, ClassifierError
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.pipeline import filters, outlooks, promotion
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import classifications, sky
from tom_alerce.store.errors import HookError, StoreError, explain
from tom_alerce.store.sql import chunks

logger = logging.getLogger(__name__)

#: Number of objects that are read and classified at a time; their stamps are in memory together.
_CLASSIFIED_AT_ONCE = 256
#: Seconds after which a stream looks at all recent objects again.
EVERYTHING = 600.0


@dataclass(slots=True)
class Classified:
    """Result of a run: objects classified and, among them, undecided by each classifier; targets made, and objects that could not be made
    one, with the reason; classifiers that failed, and why; objects whose outlook was worked out.
    """

    classified: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    promoted: list[str] = field(default_factory=list)
    refused: dict[str, StoreError] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    outlooks: int = 0

    @property
    def failures(self) -> list[str]:
        """What went wrong and somebody should mend: classifiers, and hooks of the TOM; objects that cannot be a target are none."""
        hooks = [str(why) for why in self.refused.values() if isinstance(why, HookError)]
        return [*(f"{name}: {why}" for name, why in self.problems.items()), *hooks]

    def __str__(self) -> str:
        counts = (f"{name}: {n} objects classified ({self.undecided[name]} undecided)" for name, n in self.classified.items())
        text = ", ".join(counts) or "nothing new"
        text += f"; {len(self.promoted)} promoted"
        text += f"; {self.outlooks} outlooks" if self.outlooks else ""
        text += "".join(f"; not promoted: {name}: {why}" for name, why in self.refused.items())
        return text + "".join(f"; {name} failed: {why}" for name, why in self.problems.items())


def classify(sky_object_ids: Collection[int] | None = None, progress: Progress = lambda n: None) -> Classified:
    """Run the classifiers of the settings over objects with new evidence, work out outlooks, judge by saved filters, apply promotion rules.

    The rules are applied to the objects that were classified and to all others detected within ``RANK_DAYS``, since a broker's
    classification comes without new evidence, and the rules themselves change. With ``sky_object_ids`` only these objects are looked at.
    """
    done, classified = Classified(), list[int]()
    for ids in _predicted(sky_object_ids, done):
        classified += ids
        done.promoted += promotion.promote(ids, done.refused)
        progress(len(ids))
    try:
        done.outlooks = outlooks.work_out(sky_object_ids)
    except ClassifierError as error:
        done.problems["posterior"] = str(error)
    done.problems |= {f"filter {name}": why for name, why in filters.run(sky_object_ids, classified).problems.items()}
    done.promoted += promotion.promote(recent() if sky_object_ids is None else sky_object_ids, done.refused)
    return done


def _predicted(sky_object_ids: Collection[int] | None, done: Classified) -> Iterator[list[int]]:
    """Classify the objects with new evidence, and yield the keys of each part of them once its classifications are stored."""
    loaded = {name: model for name in conf.get("CLASSIFIERS") if (model := _load(name, done)) is not None}
    wanted = {name: _unseen(model, sky_object_ids) for name, model in loaded.items()}
    for ids in chunks(sorted(set().union(*wanted.values())), _CLASSIFIED_AT_ONCE):
        skies = models.SkyObject.objects.in_bulk(ids)
        objects = dict(zip(skies, sky.load(list(skies), stamps=True), strict=True))
        for name, model in loaded.items():
            keys = [pk for pk in skies if pk in wanted[name]]
            if keys and name not in done.problems:
                _predict(name, model, [skies[pk] for pk in keys], [objects[pk] for pk in keys], done)
        yield ids


class OfBatches:
    """Classifies the objects of each batch of a stream as it is stored, and promotes them after; all recent ones now and then.

    A rule of the settings, a broker's label or another worker may have changed what is to be done with objects that no batch is about;
    looking at all of them takes seconds where there are many.
    """

    def __init__(self, every: float = EVERYTHING) -> None:
        self._every, self._last = every, -math.inf
        self._inside = Classified()

    def inside(self, sky_object_ids: Collection[int]) -> None:
        """Classify these objects within the transaction that stores what is new of them.

        A mistake there is no fault of the alerts: they are stored without, and `after` tries again.
        """
        done = Classified()
        try:
            with transaction.atomic():
                for _ in _predicted(sky_object_ids, done):
                    pass
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  # the boundary of classification: the alerts of the batch are stored
            logger.error("classification of a batch: %s", explain(error, "classification of a batch"))
        else:
            self._inside.classified += done.classified
            self._inside.undecided += done.undecided

    def after(self, sky_object_ids: Collection[int] | None = None) -> Classified:
        """Do what is left to do for these objects, or for all if that was not done for ``every`` seconds; tells of `inside`, too."""
        everything = sky_object_ids is None or time.monotonic() - self._last >= self._every
        done = classify(None if everything else sky_object_ids)
        if everything and sky_object_ids:  # those of the batch may be of long ago
            done.promoted += promotion.promote(sky_object_ids, done.refused)
        done.classified += self._inside.classified
        done.undecided += self._inside.undecided
        self._inside = Classified()
        if everything:
            self._last = time.monotonic()
        return done


def recent() -> list[int]:
    """Keys of the objects detected within ``RANK_DAYS``."""
    return list(models.SkyObject.objects.filter(last_mjd__gte=now() - conf.get("RANK_DAYS")).values_list("pk", flat=True))


def count_unseen() -> int:
    """Number of objects that `classify` would classify; loads the classifiers."""
    keys = (_unseen(model, None) for name in conf.get("CLASSIFIERS") if (model := _load(name, Classified())) is not None)
    return len(set().union(*keys))


@lru_cache
def classifier(name: str) -> Classifier:
    """Load the classifier of that name with its shipped weights, once in a process.

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


def _unseen(model: Classifier, ids: Collection[int] | None) -> set[int]:
    unseen = classifications.unseen(model.name, model.version).values_list("pk", flat=True)
    return set(unseen) if ids is None else {pk for part in chunks(ids) for pk in unseen.filter(pk__in=part)}


def _predict(name: str, model: Classifier, skies: Sequence[models.SkyObject], objects: Sequence[Any], done: Classified) -> None:
    try:
        result = model.predict(objects)
    except ClassifierError as error:
        done.problems[name] = str(error)
    else:
        done.classified[name] += classifications.save(result, skies)
        done.undecided[name] += sum(label is None for label in result.labels)
