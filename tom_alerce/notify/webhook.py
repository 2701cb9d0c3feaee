"""Any service that takes JSON, signed so that it knows that the TOM has sent it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping

from tom_alerce.outgoing import line
from tom_alerce.outgoing.records import Field, Message, Owner

LABEL = "Webhook"
FIELDS = (
    Field("url", "Address", "https://...", secret=True),
    Field("key", "Key", "with which it is signed, 16 characters or more; the service needs the same", secret=True),
)
PUBLIC = False


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """An address that is none of the web, or a key that can be guessed."""
    if reason := line.refused(address["url"]):
        yield reason
    if len(address["key"]) < 16:
        yield "the key must have 16 characters or more"


def send(message: Message, address: Mapping[str, str]) -> str:
    """Post the message; its identity and the time are signed with it, so that an old one cannot be sent again by somebody else."""
    body = json.dumps(payload(message), allow_nan=False, separators=(",", ":")).encode()
    at = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-TomAlerce-Id": message.id,
        "X-TomAlerce-Timestamp": at,
        "X-Signature": f"sha256={signature(address['key'], message.id, at, body)}",
    }
    return f"HTTP {line.post(address['url'], data=body, headers=headers).status}"


def signature(key: str, identity: str, at: str, body: bytes) -> str:
    """HMAC-SHA256, hexadecimal, of identity, time and body with full stops between."""
    return hmac.new(key.encode(), b".".join((identity.encode(), at.encode(), body)), hashlib.sha256).hexdigest()


def payload(message: Message) -> dict[str, object]:
    """The message as JSON."""
    events = [
        {
            "event": one.event,
            "title": one.title,
            "text": one.text,
            "at": one.at.isoformat(),
            "why": one.why,
            "url": one.url,
            "object": {"name": one.name, "ra": one.ra, "dec": one.dec} if one.name else None,
            "facts": dict(one.facts),
        }
        for one in message.told
    ]
    return {"id": message.id, "title": message.title, "rule": message.rule, "why": message.why, "stop": message.stop, "events": events}
