"""Stamps as PNG: stretch, orientation, what is missing; and the view that serves them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from tests.tom_alerce import factories
from tom_alerce.models import Stamps
from tom_alerce.pages import images

SIDE, GAP = images.SIDE, images.GAP


def pixels(png, kind):
    """Shade and alpha, shape (SIDE, SIDE, 2), of one stamp in a strip, first row on top."""
    image = Image.open(io.BytesIO(png))
    assert image.size == (3 * SIDE + 2 * GAP, SIDE)
    start = images.KINDS.index(kind) * (SIDE + GAP)
    return np.asarray(image.convert("LA"))[:, start : start + SIDE]


def noise(seed=0, side=SIDE):
    return np.random.default_rng(seed).normal(0.0, 5.0, (side, side))


def test_the_first_row_is_at_the_bottom():
    sky = noise()
    sky[0, 0] = 1e4
    shades = pixels(images.strip({"science": sky}), "science")[..., 0]
    assert shades[-1, 0] == 255
    assert shades[0, -1] < 200


def test_nothing_in_a_difference_is_grey_brighter_is_white_fainter_is_black():
    difference = 1000.0 + noise()
    difference[20, 20], difference[40, 40] = 1e5, -1e5
    shades = pixels(images.strip({"difference": difference}), "difference")[::-1, :, 0].astype(int)
    assert shades[20, 20] == 255
    assert shades[40, 40] == 0
    assert np.median(shades) == pytest.approx(127, abs=2)


def test_a_faint_source_is_seen_on_a_bright_background():
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    sky = 50_000.0 + noise() + 60.0 * np.exp(-0.5 * (x**2 + y**2) / 2.0**2)
    shades = pixels(images.strip({"science": sky}), "science")[..., 0].astype(int)
    assert shades[SIDE // 2, SIDE // 2] > np.percentile(shades, 99)


def test_what_was_not_measured_is_transparent():
    sky = noise()
    sky[:10] = np.nan
    strip = images.strip({"science": sky, "template": np.full((5, 5), np.nan)})
    alpha = pixels(strip, "science")[..., 1]
    assert (alpha[-10:] == 0).all()
    assert (alpha[:-10] == 255).all()
    assert (pixels(strip, "template")[..., 1] == 0).all()
    assert (pixels(strip, "difference")[..., 1] == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (61, 61), (30, 63), (200, 200)])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_any_shape_and_a_constant_image_are_drawn(shape, value):
    strip = images.strip(dict.fromkeys(images.KINDS, np.full(shape, value, np.float32)))
    for kind in images.KINDS:
        assert (pixels(strip, kind)[..., 1] == 255).all()


@pytest.fixture
def sky(client):
    client.force_login(factories.user())
    return factories.sky_object()


def address(stamps):
    return reverse("tom_alerce:stamps", args=[stamps.pk])


@pytest.mark.django_db
def test_the_view_serves_a_png_once(client, sky):
    first = client.get(address(Stamps.objects.first()))
    assert first["Content-Type"] == "image/png"
    assert "private" in first["Cache-Control"]
    assert pixels(first.content, "science")[..., 1].all()
    again = client.get(address(Stamps.objects.first()), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Stamps.objects.filter(pk=Stamps.objects.first().pk).update(source_id="another")
    assert client.get(address(Stamps.objects.first()), headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.django_db
def test_a_damaged_stamp_leaves_the_others(client, sky):
    stamps = Stamps.objects.first()
    Stamps.objects.filter(pk=stamps.pk).update(template=b"\x1f\x8bnonsense", difference=None)
    png = client.get(address(stamps)).content
    assert pixels(png, "science")[..., 1].all()
    assert not pixels(png, "template")[..., 1].any()


@pytest.mark.django_db
def test_stamps_are_public_whoever_has_the_target_and_nobody_sees_them_logged_out(client, sky):
    stamps = Stamps.objects.first()
    sky.target = factories.target(permissions="PRIVATE")
    sky.save()
    answer = client.get(address(stamps))
    assert answer.status_code == 200
    client.logout()
    assert client.get(address(stamps)).status_code == 302
    assert client.get(address(stamps), headers={"If-None-Match": answer["ETag"]}).status_code == 302  # the permission comes first
