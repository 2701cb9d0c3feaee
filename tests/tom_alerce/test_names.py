"""Names of a sky object: the one that a person can say first, all of them shown and searched."""

import pytest
from django.urls import reverse

from tests.tom_alerce import factories
from tom_alerce import visible
from tom_alerce.models import SkyObject
from tom_alerce.pages.filters import named_or_near

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader():
    return factories.user("reader")


def sky_with(**names):
    """A sky object with a member in each of these surveys, and the members' other names."""
    sky = factories.sky_object(surveys=tuple(names), n=3, images=False)
    for member in sky.survey_objects.all():
        member.names = names[member.survey]
        member.save()
    return SkyObject.objects.get(pk=sky.pk)


def test_a_name_of_tns_comes_first_then_ztf_atlas_and_rubin():
    sky = sky_with(lsst=["AT2026asx"], atlas=["ATLAS26xyz"], ztf=[])
    own = {m.survey: str(m) for m in sky.survey_objects.all()}
    assert sky.public_names == ["AT 2026asx", own["ztf"], own["atlas"], own["lsst"], "ATLAS26xyz"]
    assert sky.name == "AT 2026asx"
    assert sky_with(lsst=[], atlas=[]).name.startswith("ATLAS")
    assert sky_with(lsst=[]).name.startswith("LSST 17")


def test_a_target_keeps_the_name_that_people_gave_it(reader):
    sky = sky_with(ztf=["SN 2026asx"])
    sky.target = factories.target("Vera's star")
    sky.save()
    assert sky.name == "SN 2026asx", "for nobody in particular"
    visible.reveal(reader, [sky])
    assert sky.name == "Vera's star"
    assert sky.public_name == "SN 2026asx"
    assert sky.other_names == sky.public_names


def test_every_name_is_on_the_pages(client):
    sky = sky_with(lsst=["AT2026asx", "Gaia26abc"], ztf=[])
    client.force_login(factories.user())
    page = client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode()
    for name in sky.public_names:
        assert name in page
    rank = factories.rank(factories.ranking(), sky)
    assert sky.public_name in client.get(reverse("tom_alerce:board")).content.decode()
    more = client.get(reverse("tom_alerce:rank-more", args=[rank.pk])).content.decode()
    assert all(name in more for name in sky.public_names)


@pytest.mark.parametrize("text", ["sn2026asx", "2026asx", "AT 2026asx", "gaia26", "Gaia 26abc", "vera's STAR"])
def test_an_object_is_found_by_any_of_its_names(text, reader):
    sky = sky_with(ztf=["SN2026asx", "Gaia26abc"])
    sky.target = factories.target("Vera's star")
    sky.save()
    sky_with(ztf=[])
    assert list(named_or_near(SkyObject.objects.all(), text, reader)) == [sky]
    for member in sky.survey_objects.all():
        assert list(named_or_near(SkyObject.objects.all(), str(member)[2:], reader)) == [sky]


@pytest.mark.parametrize("text", ["-", "()", "%", "nobody"])
def test_a_text_that_is_part_of_no_name_finds_nothing(text, reader):
    sky_with(ztf=["SN2026asx"])
    assert not named_or_near(SkyObject.objects.all(), text, reader).exists()
