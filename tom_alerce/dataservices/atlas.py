"""ATLAS forced photometry of any place, in the TOM's query pages.

The server measures within minutes or hours, so that nobody waits: the first update of a target submits a task, whose address is kept with
the target, and a later update brings the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from astropy.coordinates import SkyCoord
from django.utils import timezone
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget, TargetExtra

from broker_adapters.brokers.atlas_forced import Client, Task
from broker_adapters.records import Detections, Query
from tom_alerce.dataservices.base import BrokerDataService, BrokerError, errors
from tom_alerce.dataservices.forms import AtlasForm

#: What is kept with a target: the address of its task, or since when one is being submitted.
KEY = "atlas_forced_task"
_SUBMITTING = "submitting since "
_ABANDONED = timedelta(minutes=10)
#: Measured again before the latest measurement that the target has, days: ATLAS reduces anew.
_OVERLAP = 30.0


class AtlasDataService(BrokerDataService):
    """The forced-photometry server; it needs an account."""

    name = "ATLAS forced photometry"
    verbose_name = "Measured on the ATLAS server, which takes minutes to hours"
    info_url = "https://fallingstar-data.com/forcedphot/"
    service_notes = "A measurement takes minutes to hours: update the target again for the result."
    broker = "atlas_forced"

    @classmethod
    def get_form_class(cls) -> type[AtlasForm]:
        """The form."""
        return AtlasForm

    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """The place itself: ATLAS knows no objects. Nothing is asked before it becomes a target."""
        if query.ra is None or query.dec is None:
            return
        name = "J" + SkyCoord(query.ra, query.dec, unit="deg").to_string("hmsdms", sep="", precision=2).replace(" ", "")
        yield {"name": name, "ra": query.ra, "dec": query.dec, "aliases": [name]}

    def query_photometry(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[Detections]:
        """The result of the target's task if it is finished; a new task if there is none.

        Raises
        ------
        BrokerError
            There is nothing yet; the message says why, and what to do.
        """
        pk, ra, dec = (query_parameters[name] for name in ("target", "ra", "dec"))
        if ra is None or dec is None:
            raise BrokerError("ATLAS measures fixed positions, and this target has none.")
        client = self.client()
        kept, mine = TargetExtra.objects.get_or_create(
            target_id=pk, key=KEY, defaults={"value": f"{_SUBMITTING}{timezone.now().isoformat()}"}
        )
        if not mine and kept.value.startswith(_SUBMITTING):
            _refuse_unless_abandoned(kept)
            mine = True
        if mine:
            raise BrokerError(_submit(client, kept, ra, dec))
        return self._come_back(client, kept, ra, dec)

    def _come_back(self, client: Client, kept: TargetExtra, ra: float, dec: float) -> list[Detections]:
        with errors():
            task = client.poll(Task(kept.value))
            if task.state == "gone":
                raise BrokerError(_submit(client, kept, ra, dec))
            if not task.finished:
                place = "" if task.position is None else f", {task.position} tasks before it"
                raise BrokerError(f"ATLAS has not finished: the task is {task.state}{place}. Update again later.")
            rows = client.fetch(task)
        kept.delete()
        return [rows]

    def query_aliases(self, query_parameters: Any = None, target: BaseTarget | None = None, **kwargs: Any) -> list[str]:
        """None: a place has no names."""
        return []


def _refuse_unless_abandoned(kept: TargetExtra) -> None:
    """Somebody else is submitting this task right now, or has died on it."""
    try:
        since = datetime.fromisoformat(kept.value.removeprefix(_SUBMITTING))
    except ValueError:
        return
    if timezone.now() - since < _ABANDONED:
        raise BrokerError("ATLAS is being asked about this target right now. Update again in some minutes.")


def _submit(client: Client, kept: TargetExtra, ra: float, dec: float) -> str:
    """Submit a task for a target and keep its address; what to tell the person."""
    atlas = PhotometryReducedDatum.objects.filter(target_id=kept.target_id, value__survey="atlas")
    latest = max(atlas.values_list("value__mjd", flat=True), default=None)
    try:
        with errors():
            task = client.submit(ra, dec, since=None if latest is None else latest - _OVERLAP)
    except BrokerError:
        kept.delete()
        raise
    kept.value = task.url
    kept.save()
    return "ATLAS was asked, and measures now. Update again in some minutes to hours for the result."
