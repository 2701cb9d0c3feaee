"""ALeRCE for ZTF and Rubin, on the TOM's query pages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from broker_adapters.brokers.alerce import read_lsst, read_ztf
from broker_adapters.records import Query
from tom_alerce.dataservices.base import BrokerDataService, row
from tom_alerce.dataservices.forms import AlerceForm
from tom_alerce.store.errors import explain

logger = logging.getLogger(__name__)


class AlerceDataService(BrokerDataService):
    """Data service of ALeRCE; it needs no account."""

    name = "ALeRCE multi-survey"
    verbose_name = "ALeRCE: ZTF and Rubin/LSST"
    info_url = "https://science.alerce.online"
    broker = "alerce"

    @classmethod
    def get_form_class(cls) -> type[AlerceForm]:
        """Form of the query page."""
        return AlerceForm

    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """Objects without their light curves, which are fetched for those that become targets."""
        read = read_ztf if query.survey == "ztf" else read_lsst
        for record in self.client().objects(query):
            try:
                alert = read(record)
            except Exception as error:  # noqa: BLE001  # the boundary of one object: the others are shown
                logger.warning("ALeRCE, object %s: %s", record.get("oid"), explain(error, f"ALeRCE, object {record.get('oid')}"))
                continue
            label, probability, n = (_first(record, *names) for names in (("class", "class_name"), ("probability",), ("ndet", "n_det")))
            yield row(
                alert,
                label=label if isinstance(label, str) else "",
                probability=probability if isinstance(probability, float) else None,
                n=n if isinstance(n, int) else None,
            )


def _first(record: Mapping[str, Any], *names: str) -> Any:
    """Value of the first of these fields that is there: the two surveys name them differently."""
    return next((record[name] for name in names if record.get(name) is not None), None)
