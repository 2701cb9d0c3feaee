"""Who may do what to a request: the same for pages, API, commands and the background."""

from __future__ import annotations

from typing import Any

from tom_alerce import conf, visible
from tom_alerce.models import FollowupRequest
from tom_alerce.store.errors import StoreError


class Forbidden(StoreError):
    """The user lacks the role, or the target belongs to others; nothing was stored or sent."""


def require(user: Any, role: str, row: FollowupRequest | None = None) -> None:
    """Raise `Forbidden` unless a user has a role of `conf.ROLES`, and may change the target of a request; None is the TOM itself."""
    if user is None:
        return
    if not user.is_active or not visible.may(user, role):
        raise Forbidden(f"your account has not the role {role!r} ({conf.ROLES[role]}): ask the administrator of this TOM")
    if row is None:
        return
    own = row.target is None or visible.may_change_target(user, row.target)
    if not (own and visible.may_change(user, row.sky_object, role=role)):
        raise Forbidden("it is a target of others, which you may not change: ask them, or the administrator of this TOM")
