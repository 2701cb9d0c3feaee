"""Errors of the client, one tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """The TOM has not done what was asked."""


class Unreachable(ClientError):
    """No usable answer in time; what was asked may or may not have been done."""


class TooOften(ClientError):
    """The account has asked too often; ``wait`` is the number of seconds until it may again, None where the TOM does not say."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Forbidden(ClientError):
    """The token is not accepted, or the account may not do that; nothing was done."""


class NotFound(ClientError):
    """There is no such thing, or the account does not see it."""


class Refused(ClientError):
    """It cannot be done as it was asked; ``reasons`` is the TOM's answer: by field, or under 'detail'; 'verdicts' of guards."""

    def __init__(self, message: str, reasons: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.reasons = reasons
