"""ATLAS forced photometry of any position, on the TOM's query pages.

The server needs minutes to hours, so that no page waits for it: the first update of a target submits a task, whose address is stored with
the target, and a later update fetches the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from astropy.coordinates import SkyCoord
from django.utils import timezone
from tom_targets.models import BaseTarget, TargetExtra

from broker_adapters.brokers.atlas_forced import OVERLAP, Client, Task
from broker_adapters.errors import RateLimited, Unauthorized, Unavailable
from broker_adapters.records import Detections, Query
from tom_alerce.dataservices.base import BrokerDataService, BrokerError, errors
from tom_alerce.dataservices.forms import AtlasForm
from tom_alerce.store import photometry

#: Name of the extra field of a target that holds the address of its task, or the time at which one is being submitted.
KEY = "atlas_forced_task"
_SUBMITTING = "submitting since "
_ABANDONED = timedelta(minutes=10)


class AtlasDataService(BrokerDataService):
    """Data service of the ATLAS forced-photometry server; it needs an account."""

    name = "ATLAS forced photometry"
    verbose_name = "Measured on the ATLAS server, which takes minutes to hours"
    info_url = "https://fallingstar-data.com/forcedphot/"
    service_notes = "A measurement takes minutes to hours: update the target again for the result."
    broker = "atlas_forced"

    @classmethod
    def get_form_class(cls) -> type[AtlasForm]:
        """Form of the query page."""
        return AtlasForm

    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """The position itself, without a network request: ATLAS has no list of objects, and measures once the position is a target."""
        if query.ra is None or query.dec is None:
            return
        name = "J" + SkyCoord(query.ra, query.dec, unit="deg").to_string("hmsdms", sep="", precision=2).replace(" ", "")
        yield {"name": name, "ra": query.ra, "dec": query.dec, "aliases": [name]}

    def query_photometry(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[Detections]:
        """Fetch the result of the target's task if it is finished; submit a task if there is none.

        Raises
        ------
        BrokerError
            There is no result yet; the message says why, and what to do.
        """
        pk, ra, dec = (query_parameters[name] for name in ("target", "ra", "dec"))
        if ra is None or dec is None:
            raise BrokerError("ATLAS measures fixed positions, and this target has none.")
        client = self.client()
        task, new = TargetExtra.objects.get_or_create(
            target_id=pk, key=KEY, defaults={"value": f"{_SUBMITTING}{timezone.now().isoformat()}"}
        )
        if not new and task.value.startswith(_SUBMITTING):
            _refuse_unless_abandoned(task)
            new = True
        if new:
            raise BrokerError(_submit(client, task, ra, dec))
        return self._fetch(client, task, ra, dec)

    def _fetch(self, client: Client, stored: TargetExtra, ra: float, dec: float) -> list[Detections]:
        with errors():
            task = client.poll(Task(stored.value))
            if task.state == "gone":
                raise BrokerError(_submit(client, stored, ra, dec))
            if not task.finished:
                place = "" if task.position is None else f", {task.position} tasks before it"
                raise BrokerError(f"ATLAS has not finished: the task is {task.state}{place}. Update again later.")
        try:
            with errors():
                rows = client.fetch(task)
        except BrokerError as error:
            if isinstance(error.__cause__, (RateLimited, Unauthorized, Unavailable)):
                raise
            # the same result would be as bad at any later time
            stored.delete()
            raise BrokerError(f"The result of ATLAS cannot be read and is given up: {error}. Update again to ask for a new one.") from error
        stored.delete()
        return [rows]

    def query_aliases(self, query_parameters: Any = None, target: BaseTarget | None = None, **kwargs: Any) -> list[str]:
        """None: a position has no names."""
        return []


def _refuse_unless_abandoned(stored: TargetExtra) -> None:
    """Raise BrokerError while another process submits this task; do nothing if it started too long ago, since it has failed then."""
    try:
        since = datetime.fromisoformat(stored.value.removeprefix(_SUBMITTING))
    except ValueError:
        return
    if timezone.now() - since < _ABANDONED:
        raise BrokerError("Another request for this target is being sent to ATLAS. Update again in some minutes.")


def _submit(client: Client, stored: TargetExtra, ra: float, dec: float) -> str:
    """Submit a task for a target and store its address; return the message for the user."""
    latest = photometry.latest(stored.target_id, "atlas")
    try:
        with errors():
            task = client.submit(ra, dec, since=None if latest is None else latest - OVERLAP)
    except BrokerError:
        stored.delete()
        raise
    stored.value = task.url
    stored.save()
    return "The task was sent to ATLAS. Update again in some minutes to hours for the result."
