"""Tells people what has happened: asks the rules about the events of the outbox, and sends what is due, channel by channel.

What one channel does, or fails to do, concerns no other. While one worker sends to a channel no other does, so that an event goes through
it once; a worker that dies between sending and noting it lets the message, with the same identity, be sent again.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from django.db import DatabaseError
from django.utils import timezone

from tom_alerce.models import Channel, Delivery, Rule
from tom_alerce.outgoing.records import Message, Undelivered
from tom_alerce.pipeline import messages
from tom_alerce.requests.timeouts import bounded
from tom_alerce.store import channels, deliveries, fanout
from tom_alerce.store.errors import StoreError

logger = logging.getLogger(__name__)

#: Seconds that a channel may take for one message; messages that one run sends to a channel at most, so that no channel holds up the rest.
SECONDS, MESSAGES = 40.0, 10
#: Events of one rule that are told one by one; more come together in one message.
ALONE = 3


@dataclass(slots=True)
class Report:
    """Sums of a run: events that the rules were asked about, and deliveries by what became of them; what went wrong, by channel."""

    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items()))
        return f"{self.events} events; {told or 'nothing due'}" + "".join(f"; {name}: {why}" for name, why in self.problems.items())


def deliver(now: datetime | None = None) -> Report:
    """Ask the rules about all new events, and send what is due."""
    report = Report()
    while found := fanout.spread(now):
        report.events += found
    for channel in deliveries.channels(timezone.now() if now is None else now):
        if channels.lease(channel, 2 * SECONDS * MESSAGES, now):
            try:
                _serve(channel, now, report)
            finally:
                channels.release(channel)
    return report


def test(channel: Channel) -> str:
    """Send a message that says that the channel works; return what it said, `Undelivered` if it did not arrive."""
    answer = _send(channel, messages.trial(channel))
    channels.note(channel)
    return answer


def _serve(channel: Channel, now: datetime | None, report: Report) -> None:
    for i, rows in enumerate(_groups(channel, now, report)):
        at = timezone.now() if now is None else now
        if i >= MESSAGES:
            return
        if (until := deliveries.full(rows[0].rule, channel, at)) is not None:
            deliveries.postpone(rows, until)
            report.counts["postponed"] += len(rows)
            continue
        deliveries.begin(rows, rows[0].message or uuid4().hex)
        try:
            answer = _send(channel, messages.message(rows, channel))
        except Undelivered as error:
            channels.note(channel, error.reason, for_good=error.for_good)
            deliveries.failed(rows, error.reason, at, for_good=error.for_good, after=error.after)
            report.problems[f"{channel.owner} {channel.name}"] = error.reason
            report.counts["not sent"] += len(rows)
            return  # what is wrong with one message to a channel is wrong with the next
        deliveries.sent(rows, answer, at)
        channels.note(channel)
        report.counts["sent"] += len(rows)


def _groups(channel: Channel, now: datetime | None, report: Report) -> Iterator[list[Delivery]]:
    """What is due for a channel, in the messages in which it is sent; what must not be sent is dropped."""
    rows = deliveries.due(channel, timezone.now() if now is None else now)
    hidden = deliveries.unreadable(rows, channel, public=channels.plugin(channel.kind).PUBLIC) if rows else {}
    for one in rows:
        if one.pk in hidden:
            deliveries.drop([one], hidden[one.pk])
    rows = [one for one in rows if one.pk not in hidden]
    twice = deliveries.already(rows) if rows else []
    deliveries.drop(twice, "another rule has told it through this channel")
    rows = [one for one in rows if one not in twice]
    if dropped := len(hidden) + len(twice):
        report.counts["dropped"] += dropped
    by_message: dict[tuple[int, str], list[Delivery]] = defaultdict(list)
    for one in rows:
        by_message[one.rule_id, one.message].append(one)
    for (_, begun), own in by_message.items():
        yield from [own] if begun else _split(own[0].rule, own)


def _split(rule: Rule, rows: Sequence[Delivery]) -> list[list[Delivery]]:
    together = rule.pace != Rule.Pace.NOW or len(rows) > min(ALONE, max(rule.per_hour, 1))
    return [list(rows)] if together else [[one] for one in rows]


def _send(channel: Channel, message: Message) -> str:
    """Hand a message to the plug-in, with a bound on its time."""
    try:
        address = channels.address(channel)
        with bounded(SECONDS):
            return channels.plugin(channel.kind).send(message, address)
    except Undelivered:
        raise
    except StoreError as error:
        raise Undelivered(str(error), for_good=True) from error
    except DatabaseError:
        raise
    except Exception as error:  # the boundary of foreign services and packages: another channel may work
        logger.error("channel %s: %s", channel.pk, type(error).__name__)  # its text may have the address, which is a secret
        raise Undelivered(f"a mistake of ours or of a package ({type(error).__name__})") from error
