"""Telegram, by a bot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tom_alerce.outgoing import line
from tom_alerce.outgoing.records import Field, Message, Owner, Undelivered
from tom_alerce.outgoing.text import plain

LABEL = "Telegram"
FIELDS = (
    Field("token", "Token of the bot", "as BotFather gives it, 123456:ABC...", secret=True),
    Field("chat", "Chat", "number of the chat, or @name of a channel, to which the bot has been added"),
)
PUBLIC = False

#: The service; characters of a message at most.
API, MOST = "https://api.telegram.org", 4096


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """A token or a chat that cannot be one."""
    if not re.fullmatch(r"\d{1,20}:[\w-]{20,100}", address["token"], re.ASCII):
        yield "the token must look like 123456:ABC..."
    if not re.fullmatch(r"-?\d{1,20}|@\w{3,64}", address["chat"], re.ASCII):
        yield "the chat must be a number or @name"


def send(message: Message, address: Mapping[str, str]) -> str:
    """Send the text without any markup."""
    body = {"chat_id": address["chat"], "text": plain(message, MOST), "disable_web_page_preview": True}
    reply = line.post(f"{API}/bot{address['token']}/sendMessage", json=body).json
    if not isinstance(reply, dict) or reply.get("ok") is not True:
        raise Undelivered("Telegram did not say that it has the message")
    return "ok"
