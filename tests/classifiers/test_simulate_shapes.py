"""Shapes of sources whose shape is known."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.simulate.shapes import measure


def gaussian(wide, narrow, flux=1e5, noise=1.0, size=63):
    y, x = np.mgrid[:size, :size] - size // 2
    light = np.exp(-0.5 * ((x / wide) ** 2 + (y / narrow) ** 2)) * flux / (2 * np.pi * wide * narrow)
    return (light + np.random.default_rng(0).normal(0, noise, (size, size))).astype(np.float32)[None]


@pytest.mark.parametrize(("wide", "narrow"), [(1.0, 1.0), (2.0, 1.0), (1.5, 1.2)])
def test_a_bright_gaussian_has_its_own_widths_all_its_light_and_no_negative_pixels(wide, narrow):
    got = {name: values[0] for name, values in measure(gaussian(wide, narrow)).items()}
    assert got["aimage"] == pytest.approx(np.hypot(wide, 12**-0.5), rel=0.03)
    assert got["bimage"] == pytest.approx(np.hypot(narrow, 12**-0.5), rel=0.03)
    assert got["elong"] == got["aimage"] / got["bimage"]
    assert got["ap"] == pytest.approx(1e5, rel=0.01)
    assert got["nneg"] == got["nbad"] == 0
    assert got["sumrat"] == pytest.approx(1.0)


def test_noise_alone_has_negative_pixels_and_holes_are_bad_ones():
    image = gaussian(1.0, 1.0, flux=0.0)
    image[0, 31, 30:33] = np.nan
    got = measure(image)
    assert got["nbad"][0] == 3
    assert 4 <= got["nneg"][0] <= 18
    assert abs(got["sumrat"][0]) < 1.0
    assert np.isfinite(got["elong"]).all()


def test_no_images_no_shapes():
    assert all(values.shape == (0,) for values in measure(np.empty((0, 63, 63), np.float32)).values())
