"""Check JSON that brokers answer with: fields, lists, ids and labels; and read one object after another, whatever is wrong with one."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from broker_adapters.errors import AdapterError, PacketError, RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.records import BrokerLabel
from broker_adapters.sources.http import Answer
from broker_adapters.values import identifiers, number, records, shown

logger = logging.getLogger(__name__)

#: Failures in a row after which a service is taken to be down.
SEVERAL = 5


def answered(answer: Answer) -> Mapping[str, Any]:
    """The JSON object in an answer; `Unavailable` where it is anything else."""
    fields = answer.json()
    if not isinstance(fields, Mapping):
        raise Unavailable(f"{answer.name} answered with a {type(fields).__name__} where an object was expected")
    return fields


def listed(rows: Any, what: str, dropped: Counter[str] | None = None) -> list[Mapping[str, Any]]:
    """A list of JSON objects, empty for None; items that are none are left out, and counted in ``dropped``.

    Raises
    ------
    PacketError
        It is no list.
    """
    if rows is not None and not isinstance(rows, list):
        raise PacketError(f"{what}: a list of objects was expected, not {shown(rows)}")
    return records(rows, Counter() if dropped is None else dropped)


def ids(rows: Any, name: str, service: str) -> list[str]:
    """The ids in a list of objects that a service gave, once each.

    Raises
    ------
    Unavailable
        It is no list, or one without a single id.
    """
    try:
        found = identifiers(row.get(name) for row in listed(rows, "objects")).tolist()
    except PacketError as error:
        raise Unavailable(f"{service} answered with a list that cannot be used: {error}") from error
    known = [oid for oid in dict.fromkeys(found) if oid]
    if rows and not known:
        raise Unavailable(f"{service} answered with a list that cannot be used: no item names its {name}: {shown(rows[0])}")
    if rows and (nameless := len(rows) - len(found) + found.count("")):
        logger.warning("%s: %d items of a list name no object and are left out", service, nameless)
    return known


Item = TypeVar("Item")
Result = TypeVar("Result")


class Each:
    """Read one object after another: whatever is wrong with one of them is noted, and the next is read.

    Parameters
    ----------
    service : str
        The name for messages.

    Attributes
    ----------
    rejected : list of (object id, exception)
        See `broker_adapters.records.Broker`.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self.rejected: list[tuple[str, Exception]] = []
        self._failures: Counter[str] = Counter()

    def read(self, items: Iterable[Item], name: Callable[[Item], str], read: Callable[[Item], Result | None]) -> Iterator[Result]:
        """Yield what ``read`` makes of each item, unless it is None; ``name`` gives its object id.

        Raises
        ------
        RateLimited, Unauthorized
            As ``read``: asking for the next would not help.
        Unavailable
            `SEVERAL` objects in a row could not be fetched: the service is down.
        """
        self.rejected = []
        self._failures.clear()
        for item in items:
            try:
                result = read(item)
            except (RateLimited, Unauthorized):
                raise
            except SourceError as error:
                self._note(name(item), error)
                if self._failed("objects") >= SEVERAL:
                    raise Unavailable(f"{self._service} is down: it failed for {SEVERAL} objects in a row, at last: {error}") from error
                continue
            except Exception as error:  # noqa: BLE001  # the boundary of one object: whatever is wrong with it is noted, and the next is read
                self._note(name(item), error)
                result = None
            self._failures["objects"] = 0
            if result is not None:
                yield result

    def optional(self, oid: str, part: str, ask: Callable[[], Result], otherwise: Result) -> Result:
        """What ``ask`` gives, or ``otherwise`` where that fails, which is noted; after `SEVERAL` failures in a row it is not asked for."""
        if self._failures[part] >= SEVERAL:
            self._note(oid, Unavailable(f"without {part}: the service failed {SEVERAL} times in a row and is not asked any more"))
            return otherwise
        try:
            answer = ask()
        except (RateLimited, Unauthorized):
            raise
        except SourceError as error:
            self._note(oid, Unavailable(f"without {part}: {error}"))
            self._failed(part)
            return otherwise
        except PacketError as error:
            self._note(oid, PacketError(f"without {part}: {error}"))
            return otherwise
        self._failures[part] = 0
        return answer

    def _note(self, oid: str, error: Exception) -> None:
        if isinstance(error, AdapterError):
            logger.warning("%s, object %s: %s", self._service, oid, error)
        self.rejected.append((oid, error))

    def _failed(self, what: str) -> int:
        self._failures[what] += 1
        return self._failures[what]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row that are a number, a text, a truth value or null."""
    return {name: value for name, value in row.items() if not isinstance(value, (list, Mapping))}


def column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """One field of each row, None where it is absent or not a single value."""
    return [None if isinstance(value := row.get(name), (list, Mapping)) else value for row in rows]


def label(broker: str, classifier: Any, version: Any, name: Any, probability: Any) -> BrokerLabel | None:
    """Label of a broker's classifier, or None where classifier, class or probability is missing."""
    known = all(isinstance(text, str) and text for text in (classifier, name))
    if not known or isinstance(probability, bool) or not isinstance(probability, (int, float)) or not math.isfinite(number(probability)):
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
