"""CPU time and queries of what a page does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

TURNS = 5


def client_of(name: str) -> Client:
    """A browser in which this user, with every role that observers have, is logged in."""
    from django.contrib.auth.models import Permission

    user = get_user_model().objects.get_or_create(username=name)[0]
    user.user_permissions.add(*Permission.objects.filter(codename__in=("decide", "request"), content_type__app_label="tom_alerce"))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str) -> tuple[float, int, float]:
    """Milliseconds of CPU, queries and kilobytes of a page."""
    sizes: list[int] = []

    def get() -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
        sizes.append(len(answer.content))

    milliseconds, queries = work(get)
    return milliseconds, queries, sizes[-1] / 1024


def work(do: Callable[[], Any]) -> tuple[float, int]:
    """Median milliseconds of CPU of some turns after a first one, and queries of one turn."""
    do()  # what is read once for all pages
    with CaptureQueriesContext(connection) as queries:
        do()
    asked = len(queries)  # now: the next request forgets them
    return median(_timed(do) for _ in range(TURNS)), asked


def _timed(do: Callable[[], Any]) -> float:
    before = _cpu()
    do()
    return (_cpu() - before) * 1e3


def _cpu() -> float:
    """Seconds of CPU of this process and of the server process that works for it, if there is one on this machine."""
    own = time.process_time()
    if connection.vendor != "postgresql":
        return own
    connection.ensure_connection()
    return own + int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
