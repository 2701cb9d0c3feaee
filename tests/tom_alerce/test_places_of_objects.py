"""Places of objects as the ranking reads them, and what people say of their hosts."""

import numpy as np
import pytest
from django.test import override_settings

from broker_adapters import catalogue
from broker_adapters.catalogues import stars
from tests.tom_alerce import factories
from tests.tom_alerce.test_tns import named
from tom_alerce.models import HostChoice, SkyObject
from tom_alerce.store import hosts, linking, tns
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db

#: IC 2597, 48.5 Mpc away at z = 0.0112.
RA, DEC = 159.447266, -27.08124 + 5.0 / 3600.0


def place():
    batch = candidates(SkyObject.objects.all())
    one = batch[0].place
    np.testing.assert_equal(one.distance[0], batch.places.distance[0])
    return one


@pytest.fixture
def sky():
    return factories.sky_object(ra=RA, dec=DEC, images=False)


def test_a_candidate_knows_its_host_its_distance_and_who_says_so(sky):
    one = place()
    assert (one.galaxy[0], one.told_by[0], one.star[0]) == ("IC 2597", "host", "")
    assert one.host[0] > 0.9
    assert one.separation[0] == pytest.approx(5.0, abs=0.1)
    assert one.distance[0] == pytest.approx(48.5, rel=0.01)
    tns.load([named(ra=RA, dec=DEC, redshift=0.05)], whole=True)
    assert place().told_by[0] == "TNS"
    assert place().distance[0] == pytest.approx(222.0, rel=0.01)


def test_without_the_catalogue_the_place_is_unknown_and_not_empty(sky):
    with override_settings(TOM_ALERCE={"CATALOGUES": {"stars": {}}}):
        assert np.isnan(place().host[0])
    with override_settings(TOM_ALERCE={"CATALOGUES": {"galaxies": {"path": "/nowhere"}}}):
        assert np.isnan(place().host[0])


def test_a_star_is_found_where_it_has_moved_to(sky, monkeypatch):
    row = catalogue.blank(1)
    years = (sky.last_mjd - 51544.5) / 365.25 - 16.0
    row["ra"], row["dec"], row["epoch"], row["id"] = RA, DEC - years / 3600.0, 2016.0, "a quick one"
    row["pm_ra"], row["pm_dec"], row["pm_err"] = 0.0, 1000.0, 1.0
    moved = staticmethod(lambda ra, dec, radius, mjd=None: catalogue.nearest(row, ra, dec, radius, mjd))
    monkeypatch.setattr(stars.Catalogue, "cone", moved)
    assert place().star[0] == "a quick one"
    assert place().star_separation[0] == pytest.approx(0.0, abs=0.05)
    row["pm_dec"], row["pm_err"] = 4.0, 1.0  # four standard deviations
    assert place().star[0] == ""


def test_a_person_overrules_the_host_and_that_is_undone(sky):
    ada = factories.user("ada")
    hosts.choose(sky, "", ada, " a   foreground\tgalaxy ")
    one = place()
    assert (one.host[0], one.galaxy[0], one.told_by[0]) == (0.0, "", "person")
    assert np.isnan(one.distance[0])
    hosts.choose(sky, "IC 2597", ada)
    assert (place().host[0], place().told_by[0]) == (1.0, "person")
    assert HostChoice.objects.get(undone=None).by == "ada"
    assert HostChoice.objects.get(galaxy="").text == "a foreground galaxy"
    hosts.undo(sky, ada)
    assert place().told_by[0] == "host"
    assert HostChoice.objects.count() == 2
    with pytest.raises(StoreError, match="nobody"):
        hosts.undo(sky, ada)
    with pytest.raises(StoreError, match="candidates"):
        hosts.choose(sky, "NGC 1", ada)
    with pytest.raises(StoreError, match="characters"):
        hosts.choose(sky, "", ada, "x" * 501)


def test_what_was_said_goes_with_the_member_and_the_heirs_own_stays(sky):
    ada, heir = factories.user("ada"), factories.sky_object(ra=RA, dec=DEC + 2 / 3600, images=False)
    hosts.choose(sky, "", ada)
    linking.link(sky.survey_objects.get(), heir, ada)
    assert hosts.chosen([heir.pk])[heir.pk].galaxy == ""
    other = factories.sky_object(ra=RA, dec=DEC, images=False)
    hosts.choose(other, "IC 2597", ada)
    linking.link(other.survey_objects.get(), heir, ada)
    assert hosts.chosen([heir.pk])[heir.pk].galaxy == ""
    assert heir.host_choices.count() == 2
