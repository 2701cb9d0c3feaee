"""Errors of the store: their messages are for the person who asked for the change."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)


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
