"""Hermes of SCiMMA and Las Cumbres, whose topics many people read: nothing private is sent there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tom_alerce.outgoing import line
from tom_alerce.outgoing.records import Field, Message, Owner
from tom_alerce.outgoing.text import plain

LABEL = "Hermes"
FIELDS = (
    Field("topic", "Topic", "to which your account may write, such as hermes.test"),
    Field("token", "Token", "of your account, from the profile page of Hermes", secret=True),
    Field("submitter", "Submitter", "your name as the message shows it"),
)
PUBLIC = True

#: The service; characters of a text at most.
API, MOST = "https://hermes.lco.global", 20_000


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """A topic or a token that cannot be one."""
    if not re.fullmatch(r"[\w.-]{1,200}", address["topic"], re.ASCII):
        yield "the topic must consist of letters, digits, full stops and hyphens"
    if not re.fullmatch(r"[\w-]{10,200}", address["token"], re.ASCII):
        yield "the token must consist of letters and digits"


def send(message: Message, address: Mapping[str, str]) -> str:
    """Publish the message with the objects that it is about as targets; pages of the TOM, which only its people can open, are left out."""
    places = {one.name: one for one in message.told if one.name and one.ra is not None and one.dec is not None}
    public = Message(message.id, message.title, [replace(one, url="") for one in message.told])
    body = {
        "topic": address["topic"],
        "title": message.title,
        "submitter": address["submitter"],
        "authors": address["submitter"],
        "message_text": plain(public, MOST),
        "data": {"targets": [{"name": name, "ra": one.ra, "dec": one.dec} for name, one in places.items()]},
        "submit_to_tns": False,
        "submit_to_gcn": False,
    }
    line.post(f"{API}/api/v0/submit_message/", json=body, headers={"Authorization": f"Token {address['token']}"})
    return "published"
