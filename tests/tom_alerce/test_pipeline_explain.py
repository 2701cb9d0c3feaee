"""Explanations of the stamp classifier: maps of the pixels that spoke for a class, and the pages that show them."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from tests.tom_alerce import factories
from tom_alerce.models import Explanation, Stamps
from tom_alerce.pages import images
from tom_alerce.pipeline import explain
from tom_alerce.store import explanations

pytestmark = pytest.mark.django_db


def explained(sky):
    (row,) = explain.explainable([sky.pk])
    weights = np.zeros((63, 63))
    weights[3:10, 3:10], weights[53:60, 3:10] = 0.5, -0.4
    return explanations.save(row, "stamp", "1.0", ("SN", 0.81), weights)


def message(response):
    *_, last = response.wsgi_request._messages
    return str(last)


def url(name, *args):
    return reverse(f"tom_alerce:{name}", args=args)


def test_an_object_shows_what_was_looked_at(client, observer):
    sky = factories.sky_object()
    page = client.get(url("object", sky.pk)).content.decode()
    assert "not computed yet" in page
    made = explained(sky)
    page = client.get(url("object", sky.pk)).content.decode()
    assert "Why SN" in page
    assert "0.81 by the images alone" in page
    picture = client.get(url("explanation", made.pk))
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (images.LARGER * (3 * images.SIDE + 2 * images.GAP), images.LARGER * images.SIDE)
        pixels = np.asarray(image.convert("RGB"))
    for colour, corner in ((images.FOR, pixels[-60:, :60]), (images.AGAINST, pixels[:60, :60])):  # first row at the bottom
        assert (corner == colour).all(axis=-1).any()
    assert not (pixels[:60, :60] == images.FOR).all(axis=-1).any()


def test_stamps_of_another_alert_make_a_map_stale(client, observer):
    sky = factories.sky_object()
    made = explained(sky)
    Stamps.objects.filter(pk=made.stamps_id).update(source_id="another")
    assert "not computed yet" in client.get(url("object", sky.pk)).content.decode()


def test_a_map_is_public_whoever_has_the_target_and_nobody_sees_it_logged_out(client, observer):
    made = explained(factories.sky_object(target=factories.target(permissions="PRIVATE")))
    assert client.get(url("explanation", made.pk)).status_code == 200
    client.logout()
    assert client.get(url("explanation", made.pk)).status_code == 302
    assert client.get(url("drift")).status_code == 302


def test_an_experimental_classification_is_marked(client, observer):
    sky = factories.sky_object()
    factories.classification(sky, "stamp")
    assert "experimental" not in client.get(url("object", sky.pk)).content.decode()
    factories.classification(sky, "stamp_lsst", version="0.1 experimental")
    assert '<span class="tag warn">experimental</span>' in client.get(url("object", sky.pk)).content.decode()


def test_no_web_process_explains(client, observer, settings):
    sky = factories.sky_object()
    page = client.get(url("object", sky.pk)).content.decode()
    assert url("explain", sky.pk) not in page, "no button that cannot work"
    assert f"manage.py alerce_explain {sky.pk}" in page
    response = client.post(url("explain", sky.pk))
    assert "manage.py alerce_explain" in message(response)
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.database.DatabaseBackend", "ENQUEUE_ON_COMMIT": False}}
    assert url("explain", sky.pk) in client.get(url("object", sky.pk)).content.decode()
    response = client.post(url("explain", sky.pk))
    assert "a worker does it" in message(response)
    assert not Explanation.objects.exists()
    code = "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'demo.settings'; django.setup(); import tom_alerce.urls"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('tensorflow' in sys.modules)"], check=True)
