"""Base of the errors of ``followup``."""

from __future__ import annotations


class FollowupError(Exception):
    """Base of the errors of ``followup``."""
