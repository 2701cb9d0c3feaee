"""Logs of a TOM that is operated: the batch of a stream in which a line was written, one JSON object a line, and no secret of the settings.

``"formatter": {"()": "tom_alerce.logs.JsonFormatter"}`` in ``LOGGING`` makes a line an object with ``time``, ``level``, ``logger``,
``message``, ``process``, ``batch`` where there is one, and ``traceback`` of an exception.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

from django.conf import settings

#: Id of the batch that is being worked on, '' outside of one; it is also in the dead letters of the batch.
batch: ContextVar[str] = ContextVar("batch", default="")
#: Settings in which secrets are looked for, names under which they stand, and the shortest text that is taken for one.
_WHERE, _CALLED, _SHORTEST = ("SECRET_KEY", "DATABASES", "FACILITIES", "TOM_ALERCE"), re.compile(r"secret|token|passw|api_?key", re.I), 6
_HIDDEN = "********"


def new_batch() -> str:
    """An id for a batch: twelve hexadecimal digits."""
    return uuid.uuid4().hex[:12]


@contextmanager
def in_batch(name: str) -> Iterator[None]:
    """A context of which the log lines and dead letters have the id of a batch."""
    before = batch.set(name)
    try:
        yield
    finally:
        batch.reset(before)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without the secrets of the settings."""
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "batch": batch.get(),
            "traceback": self.formatException(record.exc_info) if record.exc_info else "",
        }
        hidden = {key: without_secrets(value) if isinstance(value, str) else value for key, value in line.items() if value != ""}
        return json.dumps(hidden, ensure_ascii=False)


def without_secrets(text: str) -> str:
    """A text in which the tokens, passwords and keys of the settings are blotted out."""
    for secret in sorted(secrets(), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def secrets() -> frozenset[str]:
    """Texts in the settings that stand under a name such as ``token`` or ``sasl.password``."""
    return frozenset(found for name in _WHERE for found in _under(name, getattr(settings, name, None)))


def _under(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _under(str(key), inner)
    elif isinstance(value, str) and len(value) >= _SHORTEST and _CALLED.search(name):
        yield value
