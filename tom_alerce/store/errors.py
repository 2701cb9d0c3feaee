"""Errors of the store and of single items: what a person reads about them, and what the log keeps."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from broker_adapters.errors import AdapterError

logger = logging.getLogger(__name__)

_logged: set[str] = set()


class StoreError(Exception):
    """The change would leave the tables without meaning; nothing was written."""


class HookError(StoreError):
    """Code of the TOM that runs with the change (a hook, a signal handler) has failed; nothing was written."""


@contextmanager
def hooks(what: object, ours: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Make any error of the TOM's own code, which runs when one object is saved, a `HookError` about that object.

    Errors of ``ours``, those of the store, and a database that is down pass.
    """
    known: tuple[type[Exception], ...] = (*ours, StoreError, OperationalError, InterfaceError)
    try:
        yield
    except known:
        raise
    except Exception as error:  # hooks and signal handlers are anybody's code, and are about this object alone
        logger.exception("%s: code of this TOM that runs when it is saved has failed", what)
        raise HookError(f"{what}: code of this TOM that runs when it is saved has failed ({type(error).__name__}: {error})") from error


def explain(error: BaseException, what: str) -> str:
    """One line about the error of one item, for a dead letter or a page.

    An error of our adapters is the item's own fault, and says what is wrong with it. Any other is a mistake of ours: the log has its
    traceback, once for each place in the code, under an id that is in the line; ``what`` is the item, for the log.
    """
    if isinstance(error, (AdapterError, StoreError)):
        return str(error)
    name = traceback_id(error)
    line = f"{type(error).__name__}: {error!s:.300}"
    if name in _logged:
        logger.error("%s: %s (traceback %s, as before)", what, line, name)
    else:
        _logged.add(name)
        logger.error("%s: a mistake of ours, traceback %s", what, name, exc_info=error)
    return f"a mistake of ours, which the log has as traceback {name}: {line}"


def traceback_id(error: BaseException) -> str:
    """An id of the place in the code and the kind of an error, the same for all items that fail alike; '' for the item's own fault."""
    if isinstance(error, (AdapterError, StoreError)):
        return ""
    frames = [f"{frame.filename}:{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return hashlib.sha256("\n".join([type(error).__name__, *frames]).encode("utf-8", "replace")).hexdigest()[:8]
