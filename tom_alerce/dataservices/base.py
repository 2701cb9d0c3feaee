"""What the data services of all brokers have in common."""

from __future__ import annotations

import logging
import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
from requests.exceptions import HTTPError
from tom_dataproducts.models import PhotometryReducedDatum
from tom_dataservices.dataservices import DataService, QueryServiceError
from tom_targets.models import BaseTarget, Target
from tom_targets.permissions import targets_for_user

from broker_adapters import plugins, surveys
from broker_adapters.errors import AdapterError
from broker_adapters.records import Alert, Detections, Query
from tom_alerce import conf
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SurveyObject
from tom_alerce.store import targets
from tom_alerce.store.photometry import save_photometry

logger = logging.getLogger(__name__)

#: A page must not wait as long as a worker may; the settings of a broker outweigh these.
PATIENCE: Mapping[str, Any] = {"timeout": 15.0, "retries": 1, "patience": 5.0}
#: Objects of a broker within this of a target are it, where none of its names says so, arcsec.
NEAR = 1.5
#: A survey may have named one source several times.
SEVERAL = 5

_FIELDS = frozenset(field.name for field in fields(Query))
#: The toolkit prints an error into its page as it is.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "&": "+", '"': "'"})


class BrokerError(QueryServiceError, HTTPError):
    """A broker could not be asked, or did not answer; the message is for a person, and harmless in a page.

    It is both errors, since the toolkit's pages catch the one, and its command ``updatereduceddata`` goes on to the next target only after
    the other.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message.translate(_HARMLESS))


@contextmanager
def errors() -> Iterator[None]:
    """Turns the errors of our adapters into the toolkit's."""
    try:
        yield
    except AdapterError as error:
        raise BrokerError(str(error)) from error


def row(alert: Alert, *, label: str = "", probability: float | None = None, n: int | None = None, whole: bool = False) -> dict[str, Any]:
    """One result of a query, as the table shows it and as a target is made of it; with the light curve if the alert is ``whole``."""
    source = SurveyObject(survey=alert.survey, object_id=alert.object_id)
    result: dict[str, Any] = {
        "name": str(source),
        "source": source,
        "ra": alert.ra,
        "dec": alert.dec,
        "label": label,
        "probability": probability,
        "n": n,
        "mjd": alert.mjd,
        "aliases": [str(source), *alert.names],
    }
    return result | {"reduced_datums": {"photometry": [alert.detections]}} if whole else result


def object_ids(text: str) -> tuple[str, ...]:
    """The names in a text, with commas or spaces between them; a number may have its survey's label before it (LSST 1702...)."""
    for survey in surveys.known():
        text = re.sub(rf"\b{re.escape(survey.label)}\s*(?=(?:{survey.object_id})(?:[\s,;]|$))", "", text)
    return tuple(re.findall(r"[^\s,;]+", text))


class BrokerDataService(DataService):
    """A data service over one of our brokers.

    Attributes
    ----------
    broker : str
        Its file name in ``broker_adapters/brokers``, and its key in ``TOM_ALERCE["BROKERS"]``.
    """

    broker: str
    query_results_table = "tom_alerce/dataservices/results.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names: list[str] = []

    def client(self) -> Any:
        """The client of the broker with the settings of this TOM."""
        try:
            settings = conf.broker(self.broker)
            with errors():
                return plugins.load("broker_adapters.brokers", self.broker).Client(**{**PATIENCE, **settings})
        except LookupError:
            raise BrokerError(f"{self.name} is not configured: the settings have no TOM_ALERCE['BROKERS']['{self.broker}']") from None
        except TypeError as error:
            raise BrokerError(f"{self.name} is not configured: TOM_ALERCE['BROKERS']['{self.broker}']: {error}") from error

    def build_query_parameters(self, parameters: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """A query from the fields of the form.

        The toolkit keeps the results of the latest query for everybody, told apart by these parameters alone: they say whose they are.
        """
        days = parameters.get("days")
        query = {name: value for name, value in parameters.items() if name in _FIELDS and value not in (None, "")}
        query["object_ids"] = object_ids(parameters.get("object_ids") or "")
        query["limit"] = max(query.get("limit", 1), len(query["object_ids"]))
        if days:
            query["since"] = math.floor(now_mjd() - days)
        return {"service": self.name, "user": getattr(self.user, "pk", None), **query}

    def query(self, parameters: Mapping[str, Any]) -> Query:
        """The query in parameters."""
        return Query(**{name: value for name, value in parameters.items() if name in _FIELDS})

    def query_service(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[dict[str, Any]]:
        """Ask the broker; see `results`."""
        with errors():
            self.query_results = list(self.results(self.query(query_parameters)))
        return self.query_results

    @abstractmethod
    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """What answers the query, as `row` gives it."""

    def query_targets(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[dict[str, Any]]:
        """What may become a target."""
        return self.query_service(query_parameters)

    def create_target_from_query(self, target_result: Mapping[str, Any], **kwargs: Any) -> Target:
        """A new target, unsaved; where the TOM has it under another name, one of that name, which the toolkit then finds taken.

        So data of an object that another broker calls differently go to the target that is there. A target that this user may not see
        is not found.
        """
        name = target_result["name"]
        ra, dec = target_result["ra"], target_result["dec"]
        known = targets.named([target_result["aliases"]])[0]
        if known is None:
            near = targets.nearby([ra], [dec])[0]
            known = near[0][0] if len(near) == 1 else None
        seen = Target.objects.filter(pk=known)
        if self.user is not None:
            seen = targets_for_user(self.user, seen, "view_target")
        existing = seen.first()
        return Target(name=existing.name if existing else name, type=BaseTarget.SIDEREAL, ra=ra, dec=dec, epoch=2000.0)

    def build_query_parameters_from_target(self, target: BaseTarget, **kwargs: Any) -> dict[str, Any]:
        """What to ask about a target: its place, and the objects that its names or our links say it is."""
        ids: dict[str, list[str]] = {survey.name: [] for survey in surveys.known()}
        for name in target.names:
            for survey in surveys.known():
                if found := survey.object_id_of(name):
                    ids[survey.name].append(found)
        for linked in SurveyObject.objects.filter(sky_object__target_id=target.pk, survey__in=ids):
            ids[linked.survey].append(linked.object_id)
        return {"target": target.pk, "ra": target.ra, "dec": target.dec, "ids": {k: list(dict.fromkeys(v)) for k, v in ids.items()}}

    def query_photometry(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[Detections]:
        """The light curves of a target's objects; of what is at its place in a survey that has no name for it.

        What one survey's service delivers is kept when that of another fails; only if nothing came is the failure an error.
        """
        found: list[Alert] = []
        failure: BrokerError | None = None
        client = self.client()
        for survey in client.surveys:
            try:
                with errors():
                    found += self._objects(client, survey, query_parameters)
            except BrokerError as error:
                logger.warning("%s, %s: %s", self.name, survey, error)
                failure = error
        if failure is not None and not found:
            raise failure
        self._names = [name for a in found for name in (str(SurveyObject(survey=a.survey, object_id=a.object_id)), *a.names)]
        return [alert.detections for alert in found]

    @staticmethod
    def _objects(client: Any, survey: str, parameters: Mapping[str, Any]) -> list[Alert]:
        ids = parameters["ids"].get(survey)
        if ids:
            return list(client.fetch(survey, ids))
        if parameters["ra"] is None or parameters["dec"] is None:
            return []
        return list(client.search(Query(survey, ra=parameters["ra"], dec=parameters["dec"], radius=NEAR, limit=SEVERAL)))

    def query_aliases(self, query_parameters: Any = None, target: BaseTarget | None = None, **kwargs: Any) -> list[str]:
        """The names that came with the photometry that was asked for last."""
        return [name for name in dict.fromkeys(self._names) if target is None or name != target.name]

    def create_reduced_datums_from_query(
        self, target: BaseTarget, data: Sequence[Detections] = (), data_type: str | None = None, **kwargs: Any
    ) -> list[PhotometryReducedDatum]:
        """Write light curves to a target, each measurement once, and return what the target has from here."""
        if data_type == "photometry" and len(data):
            save_photometry(target, np.concatenate(list(data)), self.name)
        return list(PhotometryReducedDatum.objects.filter(target_id=target.pk, source_name=self.name))
