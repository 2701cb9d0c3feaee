"""Lasair for ZTF and Rubin, on the TOM's query pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from broker_adapters.records import Query
from broker_adapters.significance import alerts
from tom_alerce.dataservices.base import BrokerDataService, row
from tom_alerce.dataservices.forms import LasairForm


class LasairDataService(BrokerDataService):
    """Data service of Lasair; each of its two services needs an account."""

    name = "Lasair multi-survey"
    verbose_name = "Lasair: ZTF and Rubin/LSST"
    info_url = "https://lasair.lsst.ac.uk"
    broker = "lasair"

    @classmethod
    def get_form_class(cls) -> type[LasairForm]:
        """Form of the query page."""
        return LasairForm

    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """Objects with their light curves: Lasair's lists have no positions, and an object's position comes with its light curve."""
        for alert in self.client().search(query):
            context = next((label.label for label in alert.labels if label.classifier == "sherlock"), "")
            n = int(alerts(alert.detections).sum())
            yield row(alert, label=context, n=n, whole=True)
