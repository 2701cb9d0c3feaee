"""E-mail, by the e-mail backend of the TOM."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email

from broker_adapters.sources.deadline import Deadline
from tom_alerce.outgoing.records import Field, Message, Owner, Undelivered
from tom_alerce.outgoing.text import plain

LABEL = "E-mail"
FIELDS = (Field("to", "Address", "your account's own; whoever runs the TOM may give another, such as a mailing list"),)
PUBLIC = False

#: Characters of a message at most; seconds for one answer of the mail server, and for sending it altogether.
MOST, SILENCE, TOTAL = 100_000, 10.0, 30.0


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """An address that is none, or another's."""
    try:
        validate_email(address["to"])
    except ValidationError:
        yield "the address is none of e-mail"
    else:
        if not owner.trusted and address["to"].lower() != owner.email.lower():
            yield f"your account's address is {owner.email or 'not known'}, and only that may be used"


def send(message: Message, address: Mapping[str, str]) -> str:
    """Send the text, with the headers by which programs of e-mail show a button to end it, and which keep robots from answering."""
    headers = {"Auto-Submitted": "auto-generated", "X-TomAlerce-Id": message.id}
    if message.stop.startswith("https://"):
        headers |= {"List-Unsubscribe": f"<{message.stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    connection: Any = get_connection(timeout=SILENCE)
    mail = EmailMessage(message.title, plain(message, MOST), to=[address["to"]], headers=headers, connection=connection)
    try:
        with Deadline(TOTAL) as deadline:
            connection.open()
            if (server := getattr(connection, "connection", None)) is not None and hasattr(server, "sock"):
                deadline.hold(server.sock)
            mail.send()
            connection.close()
    except smtplib.SMTPRecipientsRefused:
        raise Undelivered("the mail server refuses the address", for_good=True) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"the mail server did not take it ({type(error).__name__})") from None
    return "given to the mail server"
