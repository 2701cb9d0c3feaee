import numpy as np
import pytest
from django.test import override_settings
from django.urls import reverse

from tests.tom_alerce import factories
from tests.tom_alerce.test_tns import named
from tom_alerce.models import SkyObject
from tom_alerce.pages.context import place
from tom_alerce.store import lightcurves, tns

pytestmark = pytest.mark.django_db

#: IC 2597, 48.5 Mpc away at z = 0.0112.
RA, DEC = 159.447266, -27.08124 + 5.0 / 3600.0


def curve(sky):
    members = [m.pk for m in sky.survey_objects.all()]
    return lightcurves.merged(lightcurves.split(lightcurves.read(members)), members)


def page(client, sky):
    return client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode()


def test_an_object_on_a_galaxy_gets_its_redshift_and_an_absolute_magnitude(client, observer):
    sky = factories.sky_object(ra=RA, dec=DEC)
    found = place(sky, curve(sky))
    assert (found.galaxies[0].name, found.redshift_from) == ("IC 2597", "host")
    assert found.galaxies[0].likely
    assert found.galaxies[0].kpc == pytest.approx(5.0 / 206265.0 * 48.5e3 / 1.0112**2, rel=0.01)
    flux = np.nanmax(curve(sky)["flux"])
    expected = 31.4 - 2.5 * np.log10(flux) - 5.0 * np.log10(48.5e5) - np.nan_to_num(found.reddening) * {"g": 3.303, "r": 2.285}[found.band]
    assert found.brightest == pytest.approx(expected, abs=0.01)
    text = page(client, sky)
    assert "IC 2597" in text
    assert "light radii" in text
    assert f"brightest M<sub>{found.band}</sub>" in text


def test_an_object_in_the_void_has_no_host_and_no_absolute_magnitude(client, observer):
    sky = factories.sky_object(ra=33.0, dec=-80.0)
    found = place(sky, curve(sky))
    assert found.redshift_from == ""
    assert np.isnan(found.brightest)
    assert "No galaxy of the catalogues is likely its host" in page(client, sky)


def test_the_redshift_of_tns_comes_before_the_hosts(client, observer):
    sky = factories.sky_object(ra=RA, dec=DEC)
    tns.load([named(1, ra=RA, dec=DEC, prefix="SN", type="SN Ia <b>", redshift=0.05)], whole=True)
    found = place(sky, curve(sky))
    assert (found.redshift, found.redshift_from) == (0.05, "TNS")
    assert found.distance == pytest.approx(222.0, rel=0.01)
    text = page(client, sky)
    assert 'href="https://www.wis-tns.org/object/2026abc"' in text
    assert "SN Ia &lt;b&gt;" in text


def test_a_bright_star_is_named():
    sky = factories.sky_object(ra=200.981, dec=54.925)
    assert place(sky, curve(sky)).stars[0].name.startswith("Gaia DR3")


def test_near_the_plane_the_page_says_that_dust_is_not_mapped(client, observer):
    assert "Dust: not mapped here" in page(client, factories.sky_object(ra=266.4, dec=-29.0))


def test_a_catalogue_that_cannot_be_read_is_unknown_and_the_page_is_there(client, observer):
    sky = factories.sky_object(ra=RA, dec=DEC)
    with override_settings(TOM_ALERCE={"CATALOGUES": {"galaxies": {"path": "/nowhere/galaxies.npz"}}}):
        assert "Unknown: galaxies" in page(client, sky)


def test_an_object_without_detections_has_a_place():
    sky = factories.sky_object(ra=RA, dec=DEC)
    empty = curve(sky)[:0]
    found = place(SkyObject.objects.get(pk=sky.pk), empty)
    assert np.isnan(found.brightest)
    assert found.galaxies


def test_a_person_overrules_the_host_which_everybody_sees_and_somebody_undoes(client, observer):
    sky = factories.sky_object(ra=RA, dec=DEC)
    assert "Overrule the host" in page(client, sky)
    answer = client.post(reverse("tom_alerce:host", args=[sky.pk]), {"galaxy": "", "text": "in <front>"}, follow=True)
    text = answer.content.decode()
    assert "none of the catalogued galaxies" in text
    assert "in &lt;front&gt;" in text
    assert "No galaxy of the catalogues is likely its host" in text
    assert place(sky, curve(sky)).redshift_from == ""
    text = client.post(reverse("tom_alerce:host-undo", args=[sky.pk]), follow=True).content.decode()
    assert "Hosts said earlier (1)" in text
    assert place(sky, curve(sky)).redshift_from == "host"
    text = client.post(reverse("tom_alerce:host", args=[sky.pk]), {"galaxy": "NGC 1"}, follow=True).content.decode()
    assert "Not done: this galaxy is not among the candidates" in text


@override_settings(TOM_ALERCE={"EVERYBODY": ["view"]})
def test_who_may_not_decide_overrules_nothing(client):
    client.force_login(factories.user("reader"))
    sky = factories.sky_object(ra=RA, dec=DEC)
    assert "Overrule the host" not in page(client, sky)
    for name in ("host", "host-undo"):
        assert "role &#x27;decide&#x27;" in client.post(reverse(f"tom_alerce:{name}", args=[sky.pk]), follow=True).content.decode()
    assert not sky.host_choices.exists()


def test_the_board_says_how_far_an_object_is_and_filters_by_it(client, observer):
    ranking = factories.ranking()
    near, void = factories.sky_object(ra=RA, dec=DEC), factories.sky_object(ra=33.0, dec=-80.0)
    ranks = [factories.rank(ranking, sky, number + 1) for number, sky in enumerate((near, void))]
    tns.load([named(1, ra=33.0, dec=-80.0, type="SN <i>")], whole=True)

    def board(**parameters):
        return client.get(reverse("tom_alerce:board"), parameters).content.decode()

    text = "".join(client.get(reverse("tom_alerce:rank-more", args=[rank.pk])).content.decode() for rank in ranks)
    assert "49 Mpc with IC 2597, brightest M<sub>" in text
    assert "SN &lt;i&gt; at TNS" in text
    assert near.name in board(distance=50)
    assert void.name not in board(distance=50)
    assert near.name not in board(distance=40)
