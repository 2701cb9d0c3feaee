"""Plug-ins of a third party, for tests: a broker and a classifier under a dotted name."""

from __future__ import annotations

import numpy as np

from broker_adapters.errors import Unavailable
from broker_adapters.records import Query
from classifiers.records import Classification, ClassifierError

NAME = __name__


class Client:
    """Answers with the alerts that it is given; an exception among them is raised in its turn."""

    surveys = ("ztf", "lsst")

    def __init__(self, answers=(), rejected=(), asked=None):
        self.answers, self.rejected, self.asked = list(answers), list(rejected), asked if asked is not None else []

    def search(self, query: Query):
        self.asked.append(query)
        for item in self.answers[: query.limit]:
            if isinstance(item, BaseException):
                raise item
            if item.survey == query.survey:
                yield item

    def fetch(self, survey, object_ids):
        for item in self.answers:
            if isinstance(item, Exception):
                raise item
            if item.survey == survey and item.object_id in object_ids:
                yield item


class Model:
    """Says SN of what has at least three detections, and cannot say of the rest; counts what it sees."""

    name, version, classes = "third", "1", ("AGN", "SN")
    seen: list[int] = []
    broken = False

    def predict(self, objects):
        if self.broken:
            raise ClassifierError("out of order")
        type(self).seen.append(len(objects))
        enough = np.array([len(o.detections) >= 3 for o in objects])
        rows = np.where(enough[:, None], [[0.1, 0.9]], np.nan)
        return Classification(self.name, self.version, self.classes, rows)


def down():
    return Unavailable("the service is down")
