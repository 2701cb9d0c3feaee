"""Base class of the data services of all brokers."""

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
from django.db import DatabaseError
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
from tom_alerce.store.errors import explain
from tom_alerce.store.photometry import save_photometry

logger = logging.getLogger(__name__)

#: Arguments of a client behind a page, which must not wait as long as a worker may; the settings of a broker take precedence.
PATIENCE: Mapping[str, Any] = {"timeout": 15.0, "retries": 1, "patience": 5.0}
#: Radius (arcsec) within which objects of a broker belong to a target that none of its names identifies.
NEAR = 1.5
#: Largest number of objects of one survey at a target: a survey may name one source several times.
SEVERAL = 5

_FIELDS = frozenset(field.name for field in fields(Query))
#: Characters of HTML and their replacements: the toolkit does not escape an error in its page.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "&": "+", '"': "'"})


class BrokerError(QueryServiceError, HTTPError):
    """A broker could not be queried, or did not answer; the message is for the user, and is safe in a page.

    It is a QueryServiceError, which the toolkit's pages catch, and an HTTPError, after which its command ``updatereduceddata`` goes on to
    the next target.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message.translate(_HARMLESS))


@contextmanager
def errors() -> Iterator[None]:
    """Convert whatever goes wrong with a broker to the toolkit's error; a mistake of ours has its traceback in the log."""
    try:
        yield
    except (BrokerError, DatabaseError):
        raise
    except Exception as error:  # the boundary of one query: a page tells it, and the command goes on to the next target
        raise BrokerError(explain(error, "a query of a data service")) from error


def row(alert: Alert, *, label: str = "", probability: float | None = None, n: int | None = None, whole: bool = False) -> dict[str, Any]:
    """One result of a query for the table and for a new target; with the light curve if the alert is ``whole``."""
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
    """Split a text into names at commas and spaces; a number may have its survey's label before it (LSST 1702...)."""
    for survey in surveys.known():
        text = re.sub(rf"\b{re.escape(survey.label)}\s*(?=(?:{survey.object_id})(?:[\s,;]|$))", "", text)
    return tuple(re.findall(r"[^\s,;]+", text))


class BrokerDataService(DataService):
    """Data service of one of our brokers.

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
        self._client: Any = None

    def client(self) -> Any:
        """Make the client of the broker with the settings of this TOM."""
        try:
            settings = conf.broker(self.broker)
            self._client = plugins.load("broker_adapters.brokers", self.broker).Client(**{**PATIENCE, **settings})
            return self._client
        except AdapterError as error:
            raise BrokerError(str(error)) from error
        except LookupError:
            raise BrokerError(f"{self.name} is not configured: the settings have no TOM_ALERCE['BROKERS']['{self.broker}']") from None
        except TypeError as error:
            raise BrokerError(f"{self.name} is not configured: TOM_ALERCE['BROKERS']['{self.broker}']: {error}") from error

    def build_query_parameters(self, parameters: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Convert the fields of the form to a query.

        The toolkit caches the results of the latest query for all users by these parameters alone: they contain the user.
        """
        days = parameters.get("days")
        query = {name: value for name, value in parameters.items() if name in _FIELDS and value not in (None, "")}
        query["object_ids"] = object_ids(parameters.get("object_ids") or "")
        query["limit"] = max(query.get("limit", 1), len(query["object_ids"]))
        if days:
            query["since"] = math.floor(now_mjd() - days)
        return {"service": self.name, "user": getattr(self.user, "pk", None), **query}

    def query(self, parameters: Mapping[str, Any]) -> Query:
        """Query of these parameters."""
        return Query(**{name: value for name, value in parameters.items() if name in _FIELDS})

    def query_service(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[dict[str, Any]]:
        """Query the broker; `results` has the records."""
        with errors():
            self.query_results = list(self.results(self.query(query_parameters)))
        missing = self._missing()
        if missing is not None and not self.query_results:
            raise missing
        return self.query_results

    def _missing(self) -> BrokerError | None:
        """The first object that the client could not read or fetch in its latest query; the log has all."""
        found = [explain(error, f"{self.name}, {oid}") for oid, error in getattr(self._client, "rejected", ())]
        for line in found:
            logger.warning("%s: %s", self.name, line)
        return BrokerError(found[0]) if found else None

    @abstractmethod
    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """Results of the query as `row` makes them."""

    def query_targets(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[dict[str, Any]]:
        """Results that may become targets."""
        return self.query_service(query_parameters)

    def create_target_from_query(self, target_result: Mapping[str, Any], **kwargs: Any) -> Target:
        """Make an unsaved target; if the TOM has one at this position or with one of the aliases, it gets the name of that one.

        The toolkit then finds the name taken, and adds the data to the existing target. Targets that this user may not see are ignored.
        """
        name = target_result["name"]
        ra, dec = target_result["ra"], target_result["dec"]
        key = targets.named([target_result["aliases"]])[0]
        if key is None:
            near = targets.nearby([ra], [dec])[0]
            key = near[0][0] if len(near) == 1 else None
        viewable = Target.objects.filter(pk=key)
        if self.user is not None:
            viewable = targets_for_user(self.user, viewable, "view_target")
        existing = viewable.first()
        return Target(name=existing.name if existing else name, type=BaseTarget.SIDEREAL, ra=ra, dec=dec, epoch=2000.0)

    def build_query_parameters_from_target(self, target: BaseTarget, **kwargs: Any) -> dict[str, Any]:
        """Position of a target, and ids of its survey objects, from its names and from our links."""
        ids: dict[str, list[str]] = {survey.name: [] for survey in surveys.known()}
        for name in target.names:
            for survey in surveys.known():
                if found := survey.object_id_of(name):
                    ids[survey.name].append(found)
        for linked in SurveyObject.objects.filter(sky_object__target_id=target.pk, survey__in=ids):
            ids[linked.survey].append(linked.object_id)
        return {"target": target.pk, "ra": target.ra, "dec": target.dec, "ids": {k: list(dict.fromkeys(v)) for k, v in ids.items()}}

    def query_photometry(self, query_parameters: Mapping[str, Any], **kwargs: Any) -> list[Detections]:
        """Light curves of a target's survey objects, or of the objects at its position in a survey without a name for it.

        What one survey's service delivers is kept if that of another fails; the failure is an error only if nothing came.
        """
        alerts: list[Alert] = []
        failure: BrokerError | None = None
        client = self.client()
        for survey in client.surveys:
            try:
                with errors():
                    alerts += self._objects(client, survey, query_parameters)
                failure = self._missing() or failure
            except BrokerError as error:
                logger.warning("%s, %s: %s", self.name, survey, error)
                failure = error
        if failure is not None and not alerts:
            raise failure
        self._names = [name for a in alerts for name in (str(SurveyObject(survey=a.survey, object_id=a.object_id)), *a.names)]
        return [alert.detections for alert in alerts]

    @staticmethod
    def _objects(client: Any, survey: str, parameters: Mapping[str, Any]) -> list[Alert]:
        ids = parameters["ids"].get(survey)
        if ids:
            return list(client.fetch(survey, ids))
        if parameters["ra"] is None or parameters["dec"] is None:
            return []
        return list(client.search(Query(survey, ra=parameters["ra"], dec=parameters["dec"], radius=NEAR, limit=SEVERAL)))

    def query_aliases(self, query_parameters: Any = None, target: BaseTarget | None = None, **kwargs: Any) -> list[str]:
        """Names that came with the photometry of the last query."""
        return [name for name in dict.fromkeys(self._names) if target is None or name != target.name]

    def create_reduced_datums_from_query(
        self, target: BaseTarget, data: Sequence[Detections] = (), data_type: str | None = None, **kwargs: Any
    ) -> list[PhotometryReducedDatum]:
        """Write light curves to a target, each measurement once; return all photometry that the target has from this service."""
        if data_type == "photometry" and len(data):
            save_photometry(target, np.concatenate(list(data)), self.name)
        return list(PhotometryReducedDatum.objects.filter(target_id=target.pk, source_name=self.name))
