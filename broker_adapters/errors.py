"""The errors of ``broker_adapters``, one tree::

    AdapterError
    ├── PacketError          these bytes are not an alert that we can read
    │   └── Unplaced         they name an object and nothing else that can be used: a broker may be asked about it
    └── SourceError          the place that the bytes come from did not deliver
        ├── RateLimited      asked too often; ``retry_after`` seconds may be known
        ├── Unauthorized     a token is missing, wrong, expired or not enough
        └── Unavailable      no connection, no answer in time, or a server error

Foreign exceptions are mapped to these where they arise, with ``from``; callers catch ``AdapterError`` alone.
"""

from __future__ import annotations


class AdapterError(Exception):
    """Base of everything that ``broker_adapters`` raises on purpose."""


class PacketError(AdapterError):
    """The input is damaged, hostile or of a kind that no adapter reads; the message gives the reason."""


class Unplaced(PacketError):
    """A message that names an object without a place, or a time, that can be used; ``survey`` and ``object_id`` are its name."""

    def __init__(self, message: str, survey: str, object_id: str) -> None:
        super().__init__(message)
        self.survey, self.object_id = survey, object_id


class SourceError(AdapterError):
    """A broker, stream or file could not deliver its bytes.

    Parameters
    ----------
    message : str
    retry_after : float or None
        Seconds to wait before the next request, None where the service gave none.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(SourceError):
    """The service asked us to slow down."""


class Unauthorized(SourceError):
    """The service refused our credentials."""


class Unavailable(SourceError):
    """The service is down, unreachable or answered with a server error."""
