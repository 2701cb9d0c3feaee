"""Keys of people at portals of the OCS kind, which the toolkit asks with one key for the whole TOM.

The toolkit's classes read the key of the settings wherever they are made, also by one another; so a person's own key is put in where a call
leaves this machine (`tom_alerce.requests.timeouts`), and only for the address of that portal.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.fernet import InvalidToken
from django.db.models import QuerySet
from tom_observations.facility import get_service_class, get_service_classes

from tom_alerce.models import FacilityKey
from tom_alerce.requests.rights import require
from tom_alerce.requests.timeouts import Personal, personally
from tom_alerce.store.errors import StoreError

logger = logging.getLogger(__name__)

#: What a key may look like: it is a part of a header.
_KEY = re.compile(r"[\w.~+/=-]{8,200}", re.ASCII)


class Unreadable(StoreError):
    """A person's own key cannot be read any more: the TOM's own secret is another."""


class Settings:
    """Settings of a facility for one person, under a name of their own, by which the toolkit keeps what this person was told."""

    def __init__(self, settings: Any, person: int) -> None:
        self._settings = settings
        self.facility_name = f"{settings.facility_name}-{person}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)


def portal_of(facility: str) -> tuple[str, str] | None:
    """Address and key, by the settings, of the portal of a facility; None for one that has none of this kind."""
    try:
        settings: Any = getattr(get_service_class(facility)(), "facility_settings", None)
        if not hasattr(settings, "get_setting"):
            return None
        address, key = str(settings.get_setting("portal_url") or ""), str(settings.get_setting("api_key") or "")
    except Exception:  # the boundary of the TOM's facilities, which are anybody's code: there is no portal to ask
        logger.info("%s: no portal to ask", facility, exc_info=True)
        return None
    return (address, key) if address.startswith(("http://", "https://")) else None


def facilities() -> list[str]:
    """Names of the TOM's facilities at whose portals a person may have a key."""
    return [name for name in get_service_classes() if portal_of(name) is not None]


def own(user: Any) -> QuerySet[FacilityKey]:
    """Keys of a person, without the secrets."""
    return FacilityKey.objects.filter(user=user).defer("secret")


def store(user: Any, facility: str, secret: str) -> None:
    """Store a person's key at a facility; '' takes it away. Takes the role ``request``.

    Raises
    ------
    Forbidden
        The user may not.
    StoreError
        It cannot be a key, or there is no such facility.
    """
    require(user, "request")
    secret = secret.strip()
    if facility not in facilities():
        raise StoreError("this TOM has no such facility whose portal takes keys of people")
    if not secret:
        own(user).filter(facility=facility).delete()
        return
    if not _KEY.fullmatch(secret):
        raise StoreError("that cannot be a key: it has 8 to 200 letters and digits")
    FacilityKey.objects.update_or_create(user=user, facility=facility, defaults={"secret": secret})


@contextmanager
def of(user: Any, facility: str) -> Iterator[bool]:
    """Ask a facility's portal with a person's own key within this context, if the person has given one; whether that is so.

    Raises
    ------
    Unreadable
        The key cannot be read any more, since the TOM's own secret is another.
    """
    try:
        row = None if user is None else FacilityKey.objects.filter(user=user, facility=facility).first()
    except InvalidToken as error:
        raise Unreadable(f"the own key of {user} at {facility} cannot be read any more: it must be given again") from error
    portal = portal_of(facility) if row is not None else None
    if row is None or portal is None:
        yield False
        return
    with personally(Personal(portal[0], str(row.secret))):
        yield True
