"""One conversation with a TOM: JSON over HTTP, repeated while it may help, ended in time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from broker_adapters.errors import RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.sources.http import Answer, Http
from tom_alerce.client.errors import ClientError, Forbidden, NotFound, Refused, TooOften, Unreachable

#: Answers that say why, and that are read.
_READ = (400, 401, 403, 404, 405)


class Wire:
    """Asks the API of one TOM; arguments as those of `tom_alerce.client.Client`."""

    def __init__(self, url: str, token: str, timeout: float, retries: int) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ClientError(f"no address of a TOM: {url[:60]!r}; it begins with https://")
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        self._http = Http("the TOM", headers, timeout=timeout, retries=retries, patience=timeout)

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """What an address answers."""
        return _json(self._ask("GET", path, parameters=parameters))

    def raw(self, path: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        """The bytes that an address answers."""
        return self._ask("GET", path, parameters=parameters).body

    def do(self, path: str, body: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
        """Have something done; it is sent again only where it surely has not arrived."""
        return _json(self._ask(method, path, data=json.dumps(body or {}).encode(), repeatable=False))

    def rows(self, path: str, parameters: Mapping[str, Any], most: int | None) -> Iterator[Mapping[str, Any]]:
        """Rows of a list, page after page, at most so many; pages are asked for at this TOM, whatever address it gives."""
        asked, left = dict(parameters), most
        while left is None or left > 0:
            page = self.read(path, asked if left is None else {**asked, "limit": min(left, 1000)})
            yield from page["results"]
            left = None if left is None else left - len(page["results"])
            if page["next"] is None:
                return
            asked = dict(parse_qsl(urlsplit(page["next"]).query, keep_blank_values=True))

    def _ask(
        self, method: str, path: str, *, parameters: Mapping[str, Any] | None = None, data: bytes | None = None, repeatable: bool = True
    ) -> Answer:
        """The answer of an address below ``/api/``."""
        given = {name: _text(value) for name, value in (parameters or {}).items() if value is not None}
        try:
            answer = self._http.request(
                method, f"{self._url}/api/{path}", params=given, data=data, accept=_READ, repeatable=repeatable
            )  # fmt: skip
        except RateLimited as error:
            raise TooOften(str(error), error.retry_after) from error
        except Unavailable as error:
            raise Unreachable(str(error)) from error
        except (Unauthorized, SourceError) as error:
            raise ClientError(str(error)) from error
        if answer.status >= 400:
            raise _refusal(answer)
        return answer


def _json(answer: Answer) -> Any:
    """What an answer says; `Unreachable` for a page of something in between."""
    try:
        return answer.json() if answer.body else None
    except Unavailable as error:
        raise Unreachable(str(error)) from error


def _refusal(answer: Answer) -> ClientError:
    """The error that an answer stands for, with its reason."""
    try:
        said = answer.json()
    except Unavailable:
        said = {"detail": answer.text()[:200]}
    reasons: dict[str, Any] = dict(said) if isinstance(said, Mapping) else {"detail": said}
    told = "; ".join(_sentence(name, why) for name, why in reasons.items() if name != "verdicts")
    if answer.status in (401, 403):
        return Forbidden(told)
    return NotFound(told) if answer.status == 404 else Refused(told, reasons)


def _sentence(name: str, why: Any) -> str:
    text = " ".join(map(str, why)) if isinstance(why, list) else str(why)
    return text if name == "detail" else f"{name}: {text}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
