"""Slack, by an incoming webhook; Mattermost and Rocket.Chat take the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tom_alerce.outgoing import line
from tom_alerce.outgoing.records import Field, Message, Owner
from tom_alerce.outgoing.text import plain

LABEL = "Slack"
FIELDS = (Field("url", "Address of the incoming webhook", "https://hooks.slack.com/services/...", secret=True),)
PUBLIC = False

#: Characters of a message at most.
MOST = 4000


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """An address that is none of the web."""
    return filter(None, [line.refused(address["url"])])


def send(message: Message, address: Mapping[str, str]) -> str:
    """Post the text; what Slack would take for a command or a mention is written so that it is none."""
    text = plain(message, MOST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return line.post(address["url"], json={"text": text, "unfurl_links": False}).text[:40]
