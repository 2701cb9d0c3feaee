"""What people say of a candidate: a pin, a note, a veto, a snooze or a claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["pin", "note", "veto", "snooze", "claim"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One person's word on one object.

    Attributes
    ----------
    kind : str
        ``pin``: wanted; ``note``: words alone; ``veto``: not to be observed; ``snooze``: not before ``until``; ``claim``: its author has
        it observed until ``until``, so nobody else need.
    author : str
        Who said so, as shown to people.
    text : str
        Their words; may be empty.
    until : float
        MJD, UTC, at which it expires; NaN where it does not.
    """

    kind: Kind
    author: str
    text: str = ""
    until: float = math.nan

    def holds(self, now: float) -> bool:
        """Whether it has not expired at ``now`` (MJD, UTC)."""
        return not self.until <= now
