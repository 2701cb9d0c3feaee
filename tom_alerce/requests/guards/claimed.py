"""Claimed: no other person has said that the observation is theirs."""

from __future__ import annotations

import math

from broker_adapters.times import datetime_from_mjd
from tom_alerce.requests.case import Case


def guard(case: Case) -> tuple[bool, str]:
    """Stop what another person has claimed."""
    told = [
        f"by {claim.author}" + (f" until {datetime_from_mjd(claim.until):%Y-%m-%d %H:%M} UTC" if math.isfinite(claim.until) else "")
        for claim in case.claims
    ]
    return (False, f"claimed {', '.join(told)}") if told else (True, "nobody else has claimed it")
