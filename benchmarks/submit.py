"""Requests sent to a real observation portal through a storm of faults, and twice at once: none lost, none doubled, none unknown.

The portal comes from its own environment (``.ci/with-portal python -m benchmarks submit``). ``requests`` are all that were approved;
``lost`` are those that the portal has not, or of which we know it not, after one synchronisation; ``doubled`` are request groups too many;
``longest_wait_s`` is the longest that anybody waited for a request, beside ``timeout_s``; ``per_request_ms`` is the median of our own time
for a request, beside the portal's, and ``per_request_cpu_ms`` that of the processor, which a busy machine does not stretch; ``guarded`` in
their names says that every guard was asked.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

FAULTS, DOUBLES, CALM = 104, 20, 20


def run() -> dict[str, float]:
    """Figures of `FAULTS` requests with a fault each, and of `DOUBLES` that two workers send at once."""
    from tests.portal import servers, storm

    if why := servers.missing():
        raise SystemExit(why)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        portal = servers.Portal(Path(folder) / "portal")
        try:
            return measure(storm.Storm(portal, Path(folder)))
        finally:
            portal.stop()


def measure(spoilt: object) -> dict[str, float]:
    """Figures of a `tests.portal.storm.Storm`."""
    from tests.portal.storm import Storm

    assert isinstance(spoilt, Storm)
    try:
        own, busy = spoilt.calm(CALM)
        guarded, guarded_busy = spoilt.calm(CALM, guarded=True)
        spoilt.doubles(DOUBLES)
        spoilt.faults(FAULTS)
        costs = {"per_request_ms": own, "per_request_guarded_ms": guarded}
        costs |= {"per_request_cpu_ms": busy, "per_request_guarded_cpu_ms": guarded_busy}
        return spoilt.figures() | {"faults": float(FAULTS)} | costs
    finally:
        spoilt.stop()
