"""The forecast that the page of an object shows: that of its posterior where there is one, else that of the older fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from classifiers.posterior.records import DOUBTFUL, Outlooks
from tom_alerce.models import SkyObject
from tom_alerce.pages.figures.outlook import of_posterior
from tom_alerce.pages.summaries import Summary
from tom_alerce.store import outlooks


def of(summary: Summary, now: float) -> Mapping[str, Any] | None:
    """Forecast at a moment (MJD), in the form of `classifiers.models.lightcurve.forecast.Forecast.as_dict`; None where there is none.

    The posterior takes everything for a supernova: what the light-curve classifier knows, and has made no forecast of, is none. Where the
    posterior is in doubt, the older fit says how bright it will be, and the posterior still says when it peaks (`of_both`).
    """
    fit: Mapping[str, Any] | None = summary.detail("forecast")
    if fit is None and any(one.classifier == "lightcurve" for one in summary.classifications):
        return None
    sky = summary.sky_object
    found = outlooks.of(SkyObject.objects.filter(pk=sky.pk), now).reader(sky.pk)()
    if found is None or (found.doubt[0] > DOUBTFUL and fit is None):
        return fit
    return of_both(found, fit) if fit is not None and found.doubt[0] > DOUBTFUL else of_posterior(found)


def of_both(found: Outlooks, fit: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fit's magnitudes with the time of the posterior's peak, which stays good where its magnitudes are in doubt."""
    peak = found.peak()[0].round(2).tolist()
    return {**fit, "families": {name: {**one, "peak_mjd": peak} for name, one in fit["families"].items()}}
