"""What a step of a task comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Done:
    """The task is answered."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The task can never be answered."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """The service works on it under the name ``handle``, or failed in passing, for the reason ``why``: ask again after some seconds.

    Without ``seconds`` the wait grows with the number of failures.
    """

    seconds: float | None = None
    why: str = ""
    handle: Mapping[str, Any] | None = None


Step: TypeAlias = Done | Failed | Later
