"""The line to services outside: an address that is looked up once, no redirects, no proxy, a bounded answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from broker_adapters.sources.deadline import Adapter, Cuttable
from tom_alerce.outgoing import addresses
from tom_alerce.outgoing.records import Undelivered

#: Bytes of an answer that are read; seconds for a connection, and between two parts of an answer.
MOST, SILENCE = 65_536, (5.0, 10.0)
#: Seconds that a service may ask to be left alone at most.
_LONGEST = 6 * 3600.0
#: Answers after which trying again may help; others from 400 on mean that the address or the message is wrong.
_LATER = frozenset({408, 425, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer from 200 to 299."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The answer as JSON; None if it is none."""
        return _json(self.text)


def post(url: str, *, json: Any = None, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """Post JSON, or bytes, to a service; the surrounding `tom_alerce.requests.timeouts.bounded` bounds the time of it all.

    Raises
    ------
    Undelivered
        There is no answer, or one that says no. Neither the address nor any header is in its text.
    """
    if reason := refused(url):
        raise Undelivered(reason, for_good=True)
    try:
        with requests.Session() as session:
            session.trust_env = False
            for scheme in _POOLS:
                session.mount(f"{scheme}://", _Pinned())
            given: dict[str, Any] = {"json": json, "data": data, "headers": dict(headers or {}), "timeout": SILENCE}
            with session.post(url, **given, allow_redirects=False, stream=True) as answer:
                text = answer.raw.read(MOST, decode_content=True).decode("utf-8", "replace")
    except (requests.RequestException, HTTPError, OSError) as error:
        raise _no_answer(error) from None  # the text of the error has the address, which may be a secret
    return _judged(answer, text)


def refused(url: str) -> str:
    """Why an address cannot be used, without asking anybody; '' if it can."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the address is none of the web"
    if parts.scheme not in _POOLS or not host:
        return "the address must begin with https:// and have a name of a machine"
    if parts.username is not None:
        return "the address must not have a user's name in it"
    if parts.scheme == "http" and not _inner(host, port or 80):
        return "the address must begin with https://"
    return ""


def _inner(host: str, port: int) -> bool:
    """Whether a host is of a network that the settings allow, where it may be asked without encryption."""
    try:
        return all(map(addresses.own, addresses.resolve(host, port)))
    except (OSError, UnicodeError):
        return False


def _no_answer(error: Exception) -> Undelivered:
    forbidden = next((cause for cause in _causes(error) if isinstance(cause, addresses.Forbidden)), None)
    if forbidden is not None:
        return Undelivered(str(forbidden), for_good=True)
    if isinstance(error, requests.Timeout):
        return Undelivered("no answer in time")
    if isinstance(error, (requests.exceptions.InvalidURL, UnicodeError)):
        return Undelivered("the address is none of the web", for_good=True)
    return Undelivered(f"no connection ({type(error).__name__})")


def _causes(error: BaseException) -> list[BaseException]:
    """An error and all that led to it, also where libraries keep it as a value."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _judged(answer: requests.Response, text: str) -> Reply:
    status = answer.status_code
    if 200 <= status < 300:
        return Reply(status, text)
    said = " ".join(text.split())[:120]
    if 300 <= status < 400:
        raise Undelivered(f"it leads elsewhere (HTTP {status}), which is not followed", for_good=True)
    later = status in _LATER
    raise Undelivered(f"HTTP {status}{': ' + said if said else ''}", for_good=not later, after=_after(answer, text) if later else None)


def _after(answer: requests.Response, text: str) -> float | None:
    """Seconds after which a service wants to be asked again, by its header or, of Telegram and Discord, its body."""
    body = _json(text)
    body = body if isinstance(body, dict) else {}
    inner = body.get("parameters")
    for value in (
        answer.headers.get("Retry-After"),
        body.get("retry_after"),
        inner.get("retry_after") if isinstance(inner, dict) else None,
    ):
        try:
            seconds = float(value)  # type: ignore[arg-type] # anything may be there
        except (TypeError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, _LONGEST)
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class _Resolved(Cuttable):
    """A connection to the very address that was looked at."""

    _dns_host: str

    def _new_conn(self) -> Any:
        name = self._dns_host
        *others, last = addresses.resolve(name, self.port)  # type: ignore[attr-defined]
        try:
            for self._dns_host in others:
                with suppress(HTTPError):  # such as one of version 6 where there is no way to it
                    return super()._new_conn()
            self._dns_host = last
            return super()._new_conn()
        finally:
            self._dns_host = name  # the certificate is that of the name


class _Http(_Resolved, HTTPConnection):
    pass


class _Https(_Resolved, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Pinned(Adapter):
    """Transport whose connections go to an address that is allowed."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections; there are no others."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS
