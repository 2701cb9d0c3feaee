"""Check JSON that brokers answer with: fields, lists, ids and labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from broker_adapters.errors import PacketError, Unavailable
from broker_adapters.records import BrokerLabel
from broker_adapters.sources.http import Answer
from broker_adapters.values import identifier


def answered(answer: Answer) -> Mapping[str, Any]:
    """The JSON object in an answer; `Unavailable` where it is anything else."""
    fields = answer.json()
    if not isinstance(fields, Mapping):
        raise Unavailable(f"{answer.name} answered with a {type(fields).__name__} where an object was expected")
    return fields


def listed(rows: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of JSON objects, empty for None; `PacketError` where it is anything else."""
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise PacketError(f"{what}: a list of objects was expected, not {rows!r:.60}")
    return rows


def ids(rows: Any, name: str, service: str) -> list[str]:
    """The ids in a list of objects that a service gave, once each; `Unavailable` where it is no such list."""
    try:
        return list(dict.fromkeys(identifier(row.get(name)) for row in listed(rows, "objects")))
    except PacketError as error:
        raise Unavailable(f"{service} answered with a list that cannot be used: {error}") from error


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row that are a number, a text, a truth value or null."""
    return {name: value for name, value in row.items() if not isinstance(value, (list, Mapping))}


def column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """One field of each row, None where it is absent or not a single value."""
    values = (row.get(name) for row in rows)
    return [None if isinstance(value, (list, Mapping)) else value for value in values]


def label(broker: str, classifier: Any, version: Any, name: Any, probability: Any) -> BrokerLabel | None:
    """Label of a broker's classifier, or None where classifier, class or probability is missing."""
    known = all(isinstance(text, str) and text for text in (classifier, name))
    if not known or isinstance(probability, bool) or not isinstance(probability, (int, float)) or not math.isfinite(probability):
        return None
    return BrokerLabel(broker, classifier[:64], str(version or "")[:64], name[:64], min(max(float(probability), 0.0), 1.0))


def labels(broker: str, rows: Iterable[Mapping[str, Any]]) -> tuple[BrokerLabel, ...]:
    """The labels in rows of probabilities as ALeRCE sends them; one of its services has written the version as ``classfier_version``."""
    found = (
        label(
            broker,
            row.get("classifier_name"),
            row.get("classifier_version") or row.get("classfier_version"),
            row.get("class_name"),
            row.get("probability"),
        )
        for row in rows
    )
    return tuple(one for one in found if one is not None)
