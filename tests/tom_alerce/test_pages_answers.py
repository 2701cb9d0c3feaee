"""Answers as the pages show them: "cannot say" is one."""

import pytest
from django.urls import reverse

from tests.tom_alerce import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def sky(client):
    """An object with two answers of ours about its present evidence: SN by one classifier, and none by the other."""
    client.force_login(factories.user())
    sky = factories.sky_object(evidence="now")
    factories.classification(sky, evidence="now")
    factories.classification(sky, "lightcurve", label="", probabilities={"SN": None}, evidence="before", version="1")
    factories.rank(factories.ranking(), sky)
    return sky


def silent(sky, **fields):
    return factories.classification(sky, "lightcurve", **{"label": "", "evidence": "now", "probabilities": {}, "version": "1", **fields})


@pytest.mark.parametrize("page", ["board", "object", "target"])
def test_cannot_say_is_shown_as_an_answer(client, sky, page):
    silent(sky)
    sky.target = factories.target()
    sky.save()
    arguments = {"board": [], "object": [sky.pk], "target": [sky.target.pk]}[page]
    text = client.get(reverse(f"tom_alerce:{page}", args=arguments)).content.decode()
    assert "cannot say" in text
    assert "none yet" not in text


def test_an_answer_about_earlier_evidence_is_not_shown_as_the_present_one(client, sky):
    text = client.get(reverse("tom_alerce:board")).content.decode()
    assert "cannot say" not in text


def test_another_version_that_has_an_answer_counts(client, sky):
    silent(sky)
    factories.classification(sky, "lightcurve", evidence="now", version="2")
    assert "cannot say" not in client.get(reverse("tom_alerce:board")).content.decode()


def test_the_history_has_it(client, sky):
    silent(sky)
    text = client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode()
    history = text.split("Over time (3)")[1].split("</table>")[0]
    assert history.count("cannot say") == 2
