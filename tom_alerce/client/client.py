"""The client: what an account of a TOM reads and does, as methods."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from tom_alerce.client.errors import NotFound
from tom_alerce.client.records import LightCurve, Request, Rows, SkyObject
from tom_alerce.client.wire import Wire

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Client:
    """An account of one TOM.

    Parameters
    ----------
    url : str
        Address of the TOM, such as "https://tom.example.org".
    token : str
        The account's, from its profile page; it is in no message and no log.
    timeout : float
        Seconds for the connection, and for each wait for more of an answer; a call with all its repetitions ends within ten times this.
    retries : int
        How often what failed in passing (no connection, 5xx, 429) is asked again. What changes something is sent again only where it surely
        did not arrive.

    Every method raises a `ClientError`: `Forbidden`, `NotFound`, `Refused` with the reasons, `TooOften`, or `Unreachable`.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 30.0, retries: int = 3) -> None:
        self._wire = Wire(url, token, timeout, retries)

    def list(self, kind: str, *, most: int | None = None, **filters: Any) -> Rows:
        """Rows of any list of the API: ``kind`` is 'objects' for ``/api/alerce-objects/``; filters, ``order`` and ``fields`` as there."""
        return Rows(list(self._wire.rows(f"alerce-{kind}/", filters, most)))

    def objects(self, *, most: int | None = 100, **filters: Any) -> Rows:
        """Sky objects, the latest detection first: ``survey``, ``since`` and ``until`` (MJD), ``query`` (a name, or 'ra dec arcsec')."""
        return self.list("objects", most=most, **filters)

    def find(self, name: str) -> SkyObject:
        """The sky object of this name, or the first at this position ('ra dec arcsec'); `NotFound` without one."""
        found = self.objects(query=name, most=1)
        if not found:
            raise NotFound(f"there is no object {name!r}")
        return SkyObject.of(found[0])

    def object(self, key: str) -> Mapping[str, Any]:
        """All that is known of an object: its page as one answer."""
        answer: Mapping[str, Any] = self._wire.read(f"alerce-objects/{_key(key)}/everything/")
        return answer

    def light_curve(self, key: str) -> LightCurve:
        """The merged light curve of an object."""
        return LightCurve(self._wire.read(f"alerce-objects/{_key(key)}/photometry/"))

    def classifications(self, *, most: int | None = 100, **filters: Any) -> Rows:
        """Classifications, the latest first: ``sky_object``, ``label``, ``probability`` at least, ``origin``, ``current``."""
        return self.list("classifications", most=most, **filters)

    def board(self, *, most: int | None = 25, site: str = "", profile: str = "") -> Rows:
        """The current ranking, best first, with every term and its reason; what vetoes keep out of it is left out."""
        filters = {name: value for name, value in {"site": site, "profile": profile}.items() if value}
        return self.list("ranks", most=most, latest=True, vetoed=False, **filters)

    def stamps(self, key: str) -> Rows:
        """Stamps of an object, without their pixels."""
        return self.list("stamps", sky_object=_key(key))

    def cutout(self, stamps: str, kind: str = "science") -> NDArray[np.float32]:
        """Pixels of one stamp, shape (y, x), first row at the bottom: 'science', 'template' or 'difference'."""
        from astropy.io import fits

        data: NDArray[np.float32] = fits.getdata(io.BytesIO(self._wire.raw(f"alerce-stamps/{_key(stamps)}/cutout/", {"kind": kind})))
        return data

    def profiles(self) -> Sequence[Mapping[str, Any]]:
        """Every profile in use, as its file has it."""
        answer: Sequence[Mapping[str, Any]] = self._wire.read("alerce-profiles/")
        return answer

    def order(self, profile: str) -> Mapping[str, Any]:
        """The order that a profile gives the objects detected last, now: ``places``, and what is vetoed."""
        answer: Mapping[str, Any] = self._wire.read(f"alerce-profiles/{_key(profile)}/order/")
        return answer

    def save_profile(self, profile: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store a profile as the next version of its name, and use it (role ``configure``)."""
        answer: Mapping[str, Any] = self._wire.do("alerce-profiles/", profile)
        return answer

    def passing(self, body: Mapping[str, Any] | str, *, most: int | None = 100, **filters: Any) -> Rows:
        """Sky objects that pass a filter now: a tree of conditions, or the name of a saved one."""
        chosen = {"passes": body} if isinstance(body, str) else {"filter": json.dumps(body)}
        return self.list("objects", most=most, **chosen, **filters)

    def save_filter(self, name: str, body: Mapping[str, Any], text: str = "") -> Mapping[str, Any]:
        """Store a filter, or the next version of one of the account's; it is off until it was tried and is started."""
        answer: Mapping[str, Any] = self._wire.do("alerce-filters/", {"name": name, "body": body, "text": text})
        return answer

    def try_filter(self, key: str) -> Mapping[str, Any]:
        """What the latest version of a filter would have passed in the last 30 days, by night."""
        answer: Mapping[str, Any] = self._wire.do(f"alerce-filters/{_key(key)}/try/")
        return answer

    def start_filter(self, key: str) -> Mapping[str, Any]:
        """Judge objects by a filter as they come (role ``decide``); `Refused` where it passes too much, or was not tried."""
        answer: Mapping[str, Any] = self._wire.do(f"alerce-filters/{_key(key)}/start/")
        return answer

    def stop_filter(self, key: str) -> Mapping[str, Any]:
        """Judge nothing by a filter any more (role ``decide``)."""
        answer: Mapping[str, Any] = self._wire.do(f"alerce-filters/{_key(key)}/stop/")
        return answer

    def watch(self, name: str, entries: str, *, radius: float = 3.0, text: str = "") -> Mapping[str, Any]:
        """Watch a list of positions and names, one a line, or a region; what is stored already is looked through at once."""
        answer: Mapping[str, Any] = self._wire.do("alerce-lists/", {"name": name, "entries": entries, "radius": radius, "text": text})
        return answer

    def found(self, watch: str, *, most: int | None = 100) -> Rows:
        """What was found in a list, the latest first."""
        return self.list("list-matches", most=most, list=_key(watch))

    def mark(self, key: str, kind: str, text: str = "", night: date | None = None) -> Mapping[str, Any]:
        """Put a mark on an object: 'pin', 'note', 'veto', 'snooze' or 'claim', until a night (role ``decide``)."""
        body = {"sky_object": str(key), "kind": kind, "text": text} | ({} if night is None else {"night": night.isoformat()})
        answer: Mapping[str, Any] = self._wire.do("alerce-marks/", body)
        return answer

    def unmark(self, mark: str) -> Mapping[str, Any]:
        """Undo a mark."""
        answer: Mapping[str, Any] = self._wire.do(f"alerce-marks/{_key(mark)}/undo/")
        return answer

    def promote(self, key: str) -> str:
        """Make an object a target of the TOM; the answer in words (role ``decide``)."""
        return str(self._wire.do(f"alerce-objects/{_key(key)}/promote/")["detail"])

    def requests(self, *, most: int | None = 100, **filters: Any) -> Rows:
        """Requests that the account may see, the latest first: ``state``, ``facility``, ``sky_object``, ``waiting``."""
        return self.list("requests", most=most, **filters)

    def request(self, key: str) -> Request:
        """One request with verdicts and history."""
        return Request.of(self._wire.read(f"alerce-requests/{_key(key)}/"))

    def draft(self, sky_object: str, **given: Any) -> Request:
        """Draft a request and have it checked (role ``request``): ``facility``, ``instrument``, ``filters``, ``snr`` if unusual."""
        return Request.of(self._wire.do("alerce-requests/", {"sky_object": str(sky_object), **given}))

    def edit(self, request: str, **values: Any) -> Request:
        """Change values of the form data, and have them checked (role ``request``)."""
        return Request.of(self._wire.do(f"alerce-requests/{_key(request)}/", {"payload": values}, "PATCH"))

    def check(self, request: str) -> Request:
        """Have it checked again; nothing is sent (role ``request``)."""
        return self._act(request, "check")

    def ask(self, request: str) -> Request:
        """Ask for approval (role ``request``)."""
        return self._act(request, "ask")

    def approve(self, request: str, reason: str = "") -> Request:
        """Approve it (role ``approve``)."""
        return self._act(request, "approve", reason=reason)

    def send(self, request: str) -> Request:
        """Send it, once (role ``send``); `Refused` with 'verdicts' where guards stop it. After `Unreachable`, look before you ask again."""
        return self._act(request, "send")

    def cancel(self, request: str, reason: str = "") -> Request:
        """Give it up, here (role ``request``) or at the facility (role ``send``)."""
        return self._act(request, "cancel", reason=reason)

    def override(self, request: str, guards: Sequence[str], reason: str) -> Request:
        """Let it pass guards, for a reason that is kept (role ``override``)."""
        return self._act(request, "override", guards=[*guards], reason=reason)

    def _act(self, request: str, action: str, **body: Any) -> Request:
        return Request.of(self._wire.do(f"alerce-requests/{_key(request)}/{action}/", body))


def _key(key: str) -> str:
    """A key in an address: a name or a number, never a path."""
    text = str(key)
    if not text or not text.replace("-", "").replace("_", "").isalnum():
        raise NotFound(f"there is no such thing: {text[:60]!r}")
    return text
