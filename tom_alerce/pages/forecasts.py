"""The forecast that the page of an object shows: that of its posterior where there is one, else that of the older fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from classifiers.posterior.records import DOUBTFUL
from tom_alerce.models import SkyObject
from tom_alerce.pages.figures.outlook import of_posterior
from tom_alerce.pages.summaries import Summary
from tom_alerce.store import outlooks


def of(summary: Summary, now: float) -> Mapping[str, Any] | None:
    """Forecast at a moment (MJD), in the form of `classifiers.models.lightcurve.forecast.Forecast.as_dict`; None where there is none.

    The posterior takes everything for a supernova: what the light-curve classifier knows, and has made no forecast of, is none. The older
    fit answers where the posterior is in doubt.
    """
    fit: Mapping[str, Any] | None = summary.detail("forecast")
    if fit is None and any(one.classifier == "lightcurve" for one in summary.classifications):
        return None
    sky = summary.sky_object
    found = outlooks.of(SkyObject.objects.filter(pk=sky.pk), now).reader(sky.pk)()
    return fit if found is None or found.doubt[0] > DOUBTFUL else of_posterior(found)
