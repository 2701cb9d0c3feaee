"""Bytes over HTTP: one session for each service, with time-outs, bounded retries and a defined error for everything that can go wrong.

urllib3's own ``Retry`` is not used, since it sleeps for as long as ``Retry-After`` demands, which may be an hour; here a wait beyond
``patience`` is a `RateLimited` with the number of seconds. A call has a total deadline. Nothing that is raised or logged contains a token,
be it that a service echoes it, or a query string.
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions

from broker_adapters.errors import RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.sources.deadline import Adapter, Deadline

logger = logging.getLogger(__name__)

#: Exceptions of a request; `requests` lets some of urllib3's through while a body is read.
FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError, urllib3.exceptions.ProxySchemeUnsupported)

#: Server errors that may pass by themselves; other 5xx (501, 505) will not.
_PASSING = frozenset({500, 502, 503, 504})
_CHUNK = 1 << 16
_WAIT = re.compile(r"available in (\d+) (second|minute|hour)s?")
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class Budget:
    """At most ``calls`` in any ``seconds``: the limit that a service sets for a token, kept on our side of the wire.

    It never sleeps: a call beyond the limit is `RateLimited`, with the seconds until the next is free.
    """

    def __init__(self, calls: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._calls, self._seconds, self._clock = calls, seconds, clock
        self._spent: deque[float] = deque()
        self._lock = threading.Lock()

    def spend(self, name: str) -> None:
        """Take one call out of the budget of the service of this name, or raise `RateLimited`."""
        with self._lock:
            now = self._clock()
            while self._spent and self._spent[0] <= now - self._seconds:
                self._spent.popleft()
            if len(self._spent) >= self._calls:
                wait = self._spent[0] + self._seconds - now
                raise RateLimited(
                    f"{name}: the limit of {self._calls} calls in {self._seconds:.0f} s is used up; next in {wait:.0f} s", wait
                )
            self._spent.append(now)


@cache
def budget(owner: str, calls: int, seconds: float) -> Budget:
    """The budget that all clients of this process with the same owner (service and token) share."""
    return Budget(calls, seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a service: an accepted status and at most ``max_bytes`` of body, decompressed."""

    name: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON (a bare NaN is read as one); `Unavailable` where it is something else, such as a proxy's HTML."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            start = self.text()[:60].strip()
            raise Unavailable(f"{self.name} answered {self.status} with what is not JSON: {start!r}") from error


class Http:
    """A session with one service.

    Parameters
    ----------
    name : str
        What the service is called in messages.
    headers : mapping
        Sent with every request; the place for a token.
    timeout : float
        Seconds for the connection, and for each wait for more bytes. A call may take ten times as long in all, with its repetitions.
    retries : int
        How often a request that failed in passing is repeated.
    patience : float
        The longest wait in seconds before a repetition; where the service demands more, `RateLimited` or `Unavailable` is raised at once.
    max_bytes : int
        A longer answer is refused, however well it compresses.
    limit : Budget or None
    sleep, clock : callable
        For tests.
    """

    def __init__(
        self,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        patience: float = 30.0,
        max_bytes: int = 64 << 20,
        limit: Budget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._timeout, self._retries, self._patience, self._max_bytes = timeout, retries, patience, max_bytes
        self._limit, self._sleep, self._clock = limit, sleep, clock
        headers = dict(headers or {})
        if any(not value.isprintable() or not value.isascii() for value in headers.values()):
            # requests would refuse it too, and print it
            raise Unauthorized(f"{name}: the token has characters that cannot be sent")
        secrets = [part for value in headers.values() for part in value.split() if len(part) >= 8]
        forms = {form(s) for s in secrets for form in (str, str.lower, str.upper, quote, lambda text: json.dumps(text)[1:-1])}
        self._secrets = tuple(form.encode() for form in sorted(forms, key=len, reverse=True))
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, Adapter())
        self._session.headers.update({"Accept": "application/json", **headers})
        self._session.auth = lambda request: request  # otherwise an entry in ~/.netrc replaces our Authorization

    def get(self, url: str, params: Any = None, *, accept: tuple[int, ...] = ()) -> Answer:
        """GET, repeated while the failure may pass; a status outside 2xx is an error unless it is in ``accept``."""
        return self.request("GET", url, params=params, accept=accept)

    def post(self, url: str, data: Any = None, *, accept: tuple[int, ...] = (), repeatable: bool = False) -> Answer:
        """POST a form; repeated only where it is ``repeatable`` (twice does no harm), or where it surely did not arrive."""
        return self.request("POST", url, data=data, accept=accept, repeatable=repeatable)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        data: Any = None,
        accept: tuple[int, ...] = (),
        repeatable: bool = True,
    ) -> Answer:
        """Send a request, and repeat it after a wait while the failure may pass.

        Raises
        ------
        RateLimited
            429, or our own budget is used up; with ``retry_after``.
        Unauthorized
            401 or 403.
        Unavailable
            No connection, no answer in time, a broken or too long one, a redirect of a POST, or 5xx.
        SourceError
            Any other status: the request itself is wrong; the message has the service's reason.
        """
        end = self._clock() + 10 * self._timeout
        for attempt in range(self._retries + 1):
            if self._limit is not None:
                self._limit.spend(self.name)
            try:
                answer = self._once(method, url, params, data, end)
                return self._checked(answer, accept)
            except (RateLimited, Unavailable) as error:
                wait = 2.0**attempt * random.uniform(0.5, 1.0) if error.retry_after is None else error.retry_after
                again = isinstance(error, RateLimited) or repeatable or isinstance(error.__cause__, requests.ConnectTimeout)
                if attempt == self._retries or not again or wait > self._patience or self._clock() + wait > end:
                    raise
                logger.info("%s: asking again in %.1f s", error, wait)
                self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, method: str, url: str, params: Any, data: Any, end: float) -> Answer:
        """One answer, complete before the clock shows ``end``."""
        where = f"{self.name} ({urlsplit(url).path})"
        late = Unavailable(f"{where}: the answer was not complete within {10 * self._timeout:.0f} s")
        with Deadline(end - self._clock()) as deadline:
            try:
                answer = self._answer(where, method, url, params, data, lambda: deadline.expired or self._clock() > end, late)
            except FOREIGN as error:
                if deadline.expired:
                    raise late from error
                if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
                    raise Unavailable(f"{where}: no answer within {self._timeout:g} s") from error
                if isinstance(error, ValueError):  # requests' errors about the address itself, which no repetition mends
                    raise SourceError(f"{where}: {type(error).__name__}") from error
                raise Unavailable(f"{where}: the connection failed ({type(error).__name__})") from error
            if deadline.expired:  # a body that ends with its connection seems to be whole
                raise late
            return answer

    def _answer(self, where: str, method: str, url: str, params: Any, data: Any, over: Callable[[], bool], late: Unavailable) -> Answer:
        """The answer of the service, with our secrets masked wherever it echoes them; ``late`` if it is ``over``."""
        with self._session.request(
            method, url, params=params, data=data, timeout=self._timeout, stream=True, allow_redirects=method == "GET"
        ) as response:
            body = bytearray()
            # read1 returns with what has arrived
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._max_bytes:
                    raise Unavailable(f"{where}: the answer is longer than {self._max_bytes} bytes")
                if over():
                    raise late
            for secret in self._secrets:
                if secret in body:
                    body = body.replace(secret, b"***")
            return Answer(where, response.status_code, response.headers, bytes(body))

    def _checked(self, answer: Answer, accept: tuple[int, ...]) -> Answer:
        """The answer if its status is welcome, else the error that it stands for."""
        status = answer.status
        if 200 <= status < 300 or status in accept:
            return answer
        message = f"{answer.name} answered {status}: {self._reason(answer)}"
        if status == 429:
            raise RateLimited(message, retry_after(answer))
        if status in (401, 403):
            raise Unauthorized(message)
        if status in _PASSING:
            raise Unavailable(message, retry_after(answer))
        if status >= 500 or status < 400:
            raise Unavailable(message)
        raise SourceError(message)

    @staticmethod
    def _reason(answer: Answer) -> str:
        """The service's reason, as one short line without tags."""
        text = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", answer.text()[:4000], flags=re.DOTALL | re.IGNORECASE)
        return " ".join(text.split())[:200] or "without a reason"


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait as the service gave them: the header in either form, or Django REST framework's sentence in the body."""
    header = answer.headers.get("Retry-After", "").strip()
    if header.isdecimal():
        return float(header)
    if header:
        try:
            return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
        except ValueError:
            pass
    found = _WAIT.search(answer.text()[:4000])
    return float(found[1]) * _UNITS[found[2]] if found else None
