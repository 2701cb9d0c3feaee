"""The forecast on the page of an object: the posterior's, else the older fit's, and none of what is no supernova."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.classifiers.test_posterior_records import made
from tests.tom_alerce import factories
from tests.tom_alerce.test_pages_age import text_of
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Outlook

pytestmark = pytest.mark.django_db


@pytest.fixture
def forecast():
    """An older forecast whose peak is at magnitude 15.55."""
    now = now_mjd()
    family = {"flux": [[10.0, 20.0, 30.0]] * 2, "peak_mjd": [now, now + 1, now + 2], "peak_mag": [15.0, 15.55, 16.0]}
    return {"mjd": [now - 1, now + 13], "families": {"r": family}}


def sky_with_outlook(doubt=0.1):
    """A sky object with an outlook, made now, of a peak at 17.50."""
    sky = factories.sky_object(evidence="a")
    one = made(3)[0 if doubt < 0.7 else 2]
    values = {name: getattr(one, name) for name in type(one).__slots__} | {"mjd": [now_mjd() - 0.5]}
    Outlook.objects.create(sky_object=sky, evidence="a", version="1", mjd=now_mjd() - 0.5, packed=type(one)(**values).pack()[0])
    return sky


@pytest.mark.parametrize(
    ("doubt", "shown", "hidden"), [(0.1, "17.5 17.5 to 17.5", "15.6 15.0 to 16.0"), (0.9, "15.6 15.0 to 16.0", "17.5 17.5 to 17.5")]
)
def test_the_posterior_is_shown_unless_it_is_in_doubt(client, observer, forecast, doubt, shown, hidden):
    sky = sky_with_outlook(doubt)
    factories.classification(sky, "lightcurve", probabilities={"SNIa": 1.0}, details={"forecast": forecast})
    text = text_of(client.get(reverse("tom_alerce:object", args=[sky.pk])))
    assert shown in text
    assert hidden not in text


def test_few_detections_have_a_forecast_and_what_is_no_supernova_has_none(client, observer):
    young, star = sky_with_outlook(), sky_with_outlook()
    factories.classification(star, "lightcurve", probabilities={"RRL": 1.0}, details={})
    pages = [text_of(client.get(reverse("tom_alerce:object", args=[sky.pk]))) for sky in (young, star)]
    assert "17.5 17.5 to 17.5" in pages[0]
    assert "17.5 17.5 to 17.5" not in pages[1]
