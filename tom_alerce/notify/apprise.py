"""Every other service that the package apprise knows (extra ``notify``), of those that the settings allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tom_alerce import conf
from tom_alerce.outgoing.records import Field, Message, Owner, Undelivered
from tom_alerce.outgoing.text import plain

LABEL = "Other services (apprise)"
FIELDS = (Field("url", "Address as apprise writes it", "such as discord://id/token", secret=True),)
PUBLIC = False

#: Characters of a message at most; apprise cuts where a service takes less.
MOST = 2000


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """A service that the settings do not allow, an address that apprise does not understand, or no apprise."""
    scheme = address["url"].partition("://")[0].lower()
    allowed = conf.get("NOTIFY").get("apprise", ())
    if scheme not in allowed:
        yield f"the settings allow {', '.join(allowed) or 'no service of apprise'}"
        return
    try:
        _service(address["url"])
    except Undelivered as error:
        yield error.reason


def send(message: Message, address: Mapping[str, str]) -> str:
    """Let apprise send the text."""
    for problem in problems(address, Owner()):  # the settings may have changed since
        raise Undelivered(problem, for_good=True)
    if not _service(address["url"]).notify(title=message.title, body=plain(message, MOST), body_format="text"):
        raise Undelivered("the service did not take it")
    return "ok"


def _service(url: str) -> Any:
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise Undelivered("the package apprise is not installed (pip install 'tom-alerce[notify]')") from None
    service = Apprise(asset=AppriseAsset(async_mode=False, service_timeout=0))  # in this thread, whose time is bounded
    if not service.add(url):
        raise Undelivered("apprise does not understand the address", for_good=True)
    return service
