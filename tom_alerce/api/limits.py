"""How often an account may ask: ``TOM_ALERCE["API_RATES"]``, counted apart for what is read and what is done."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import SimpleRateThrottle

from tom_alerce import conf


class Rate(SimpleRateThrottle):
    """At most so many requests of an account in a time; those to read and those to change something count apart."""

    scope = "read"

    def get_rate(self) -> str | None:
        """What the settings say, None for no limit."""
        rate: str | None = conf.get("API_RATES").get(self.scope)
        return rate

    def allow_request(self, request: Any, view: Any) -> bool:
        """Whether there is a request left."""
        mine = (request.method in SAFE_METHODS) == (self.scope == "read")
        return not mine or super().allow_request(request, view)

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        """Under which the times of earlier requests are kept; None, for no limit, for who is not let in anyway."""
        return f"alerce-api-{self.scope}-{request.user.pk}" if request.user.is_authenticated else None


class WriteRate(Rate):
    """The same for what changes something."""

    scope = "write"
