"""ALeRCE for ZTF and Rubin, in the TOM's query pages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from broker_adapters.brokers.alerce import read_lsst, read_ztf
from broker_adapters.errors import PacketError
from broker_adapters.records import Query
from tom_alerce.dataservices.base import BrokerDataService, row
from tom_alerce.dataservices.forms import AlerceForm

logger = logging.getLogger(__name__)


class AlerceDataService(BrokerDataService):
    """ALeRCE; it needs no account."""

    name = "ALeRCE multi-survey"
    verbose_name = "ALeRCE: ZTF and Rubin/LSST"
    info_url = "https://science.alerce.online"
    broker = "alerce"

    @classmethod
    def get_form_class(cls) -> type[AlerceForm]:
        """The form."""
        return AlerceForm

    def results(self, query: Query) -> Iterator[dict[str, Any]]:
        """The objects without their light curves, which are fetched for those that become targets."""
        read = read_ztf if query.survey == "ztf" else read_lsst
        for about in self.client().objects(query):
            try:
                alert = read(about)
            except PacketError as error:
                logger.warning("ALeRCE, object %s: %s", about.get("oid"), error)
                continue
            label, probability, n = (_first(about, *names) for names in (("class", "class_name"), ("probability",), ("ndet", "n_det")))
            yield row(
                alert,
                label=label if isinstance(label, str) else "",
                probability=probability if isinstance(probability, float) else None,
                n=n if isinstance(n, int) else None,
            )


def _first(about: Mapping[str, Any], *names: str) -> Any:
    """The field that the one survey calls so and the other otherwise."""
    return next((about[name] for name in names if about.get(name) is not None), None)
