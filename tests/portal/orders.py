"""What a worker of the TOM is told to do: one order a line (JSON), one answer a line.

``["guards", on]``: whether guards are asked.
``["make", n]``: keys of n new requests that are approved. ``["send", key]``: state, and what is wrong. ``["sync"]``: what is wrong.
``["cost"]``: milliseconds of our own for each request that was sent, beside what the portal took, and of the processor.
``["states"]``: state -> number.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import requests
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection

from tests.portal import build
from tests.unguarded import UNGUARDED
from tom_alerce.models import FollowupRequest
from tom_alerce.requests.send import one, send
from tom_alerce.requests.sync import sync

_portal_seconds: list[float] = []
_costs: list[tuple[float, float]] = []


def _clocked() -> None:
    """Measure what the portal takes of the time."""
    plain = requests.Session.request

    def request(self: requests.Session, *arguments: Any, **options: Any) -> requests.Response:
        began = time.perf_counter()
        try:
            return plain(self, *arguments, **options)
        finally:
            _portal_seconds.append(time.perf_counter() - began)

    requests.Session.request = request  # type: ignore[method-assign]


def guards(on: bool) -> bool:
    """Switch every guard on or off."""
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "GUARDS": {} if on else UNGUARDED}
    setting_changed.send(sender=None, setting="TOM_ALERCE", value=settings.TOM_ALERCE, enter=True)
    return on


def make(n: int) -> list[int]:
    """Requests for objects of their own."""
    return [build.approved().pk for _ in range(n)]


def send_one(key: int) -> tuple[str, str]:
    """Send one request."""
    row = FollowupRequest.objects.select_related("sky_object", "target").get(pk=key)
    _portal_seconds.clear()
    began, busy = time.perf_counter(), time.process_time()
    trouble = one(row, lambda: send(row, None))
    own = time.perf_counter() - began - sum(_portal_seconds)
    _costs.append((1e3 * own, 1e3 * (time.process_time() - busy)))
    return row.state, str(trouble or "")


def follow() -> list[str]:
    """Synchronise once."""
    return sync().problems


def cost() -> list[tuple[float, float]]:
    """Our own milliseconds of each request that was sent: of the clock, and of the processor."""
    return _costs


def states() -> Counter[str]:
    """How many requests are in which state."""
    return Counter(FollowupRequest.objects.values_list("state", flat=True))


ORDERS = {"guards": guards, "make": make, "send": send_one, "sync": follow, "cost": cost, "states": states}


def serve() -> None:
    """Follow orders until there are none."""
    _clocked()
    print('"ready"', flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = ORDERS[name](*arguments)
        connection.close_if_unusable_or_obsolete()
        print(json.dumps(answer), flush=True)
