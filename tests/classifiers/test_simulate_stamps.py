"""Stamps: light is conserved, noise is what was asked for, signs are the surveys', and a seed is a promise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters.photometry import flux_from_magnitude
from classifiers.records import ClassifierError
from classifiers.simulate import realism
from classifiers.simulate._galaxies import BULGE, DISC, Galaxies, galaxies, scale_length
from classifiers.simulate._psf import WEIGHTS, WIDTHS, Psf, stars
from classifiers.simulate._statistics import statistics
from classifiers.simulate._subtract import subtract
from classifiers.simulate.artefacts import KINDS, bogus, holes
from classifiers.simulate.instruments import INSTRUMENTS, instrument
from classifiers.simulate.render import Points, Scene, grid_size, ordinary, render
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP


def psf(n=1, fwhm=3.0, elongation=1.0):
    return Psf(np.full(n, fwhm), np.full(n, elongation))


def nothing(n=1):
    zero = np.zeros((n, 1))
    return Points(zero, zero, zero)


def dark(n=1):
    zero, one = np.zeros((n, 1)), np.ones((n, 1))
    return Galaxies(zero, zero, zero, one, one, zero, zero + DISC)


def exact(camera, n=1, **changes):
    """Conditions without errors of the pipeline and with hardly any noise."""
    how = ordinary(camera, n, np.random.default_rng(0))
    zero = np.zeros(n)
    still = {"psf_error": zero, "gain_error": zero, "shift_y": zero, "shift_x": zero, "elongation": zero + 1}
    quiet = {"noise": zero + 1e-3, "template_noise": zero + 1e-3, "background": zero, "seeing": zero + 2.5, "template_seeing": zero + 2.5}
    return how.replace(**(still | quiet | {k: np.full(n, v, float) for k, v in changes.items()}))


@pytest.fixture
def still(monkeypatch):
    """A pipeline that adds nothing of its own to the noise."""
    monkeypatch.setattr("classifiers.simulate.render.SHIFT", 0.0)
    monkeypatch.setattr("classifiers.simulate.render.NEWER", 0.0)
    monkeypatch.setattr("classifiers.simulate.render.CROSSTALK", (0.0, 0.0))
    monkeypatch.setattr("classifiers.simulate.render.STRIPES", (0.0, 0.0))


@settings(max_examples=40)
@given(
    fwhm=st.floats(1.7, 5.0), elongation=st.floats(0.8, 1.25), y=st.floats(25, 35), x=st.floats(25, 35), flux=st.floats(-1e6, 1e6)
)  # fmt: skip
def test_a_star_keeps_its_flux_and_place(fwhm, elongation, y, x, flux):
    image = stars(psf(1, fwhm, elongation), *(np.array([[v]]) for v in (flux, y, x)), 61).astype(float)[0]
    # the widest Gaussian of the PSF leaves the image: what the edge takes is known
    assert image.sum() == pytest.approx(flux, rel=0.03, abs=1e-6)
    if abs(flux) > 1:
        axis = np.arange(61)
        assert (image.sum(1) * axis).sum() / image.sum() == pytest.approx(y, abs=0.12)
        assert (image.sum(0) * axis).sum() / image.sum() == pytest.approx(x, abs=0.12)


def test_stars_add_up_whatever_their_order_and_company():
    rng = np.random.default_rng(1)
    flux, y, x = rng.uniform(0, 100, (40, 7)), rng.uniform(0, 40, (40, 7)), rng.uniform(0, 40, (40, 7))
    flux[rng.uniform(size=flux.shape) < 0.5] = 0
    shape = Psf(rng.uniform(2, 4, 40), np.ones(40))
    together = stars(shape, flux, y, x, 41)
    for i in (0, 17, 39):
        one = Psf(shape.fwhm[i : i + 1], shape.elongation[i : i + 1])
        alone = sum(stars(one, *(a[i : i + 1, k : k + 1] for a in (flux, y, x)), 41) for k in range(7))
        assert together[i] == pytest.approx(alone[0], abs=1e-4)


def test_psf_has_the_width_and_the_noise_that_it_says():
    shape = psf(1, 4.0)
    image = stars(shape, *(np.array([[v]]) for v in (1.0, 50.0, 50.0)), 101)[0].astype(float)
    assert image[50, 52] == pytest.approx(image[50, 50] / 2, rel=0.03)
    assert 1 / (image**2).sum() == pytest.approx(shape.noise_pixels[0], rel=0.01)
    assert WEIGHTS.sum() == pytest.approx(1)
    assert len(WEIGHTS) == len(WIDTHS)


@pytest.mark.parametrize("index", [DISC, BULGE])
def test_a_galaxy_keeps_its_flux_and_half_of_it_is_within_its_radius(index):
    size, radius = 240, 10.0
    column = {k: np.array([[v]]) for k, v in {"flux": 500.0, "y": 120.0, "x": 120.0, "radius": radius}.items()}
    round_one = Galaxies(**column, axis_ratio=np.ones((1, 1)), angle=np.zeros((1, 1)), index=np.full((1, 1), index))
    image = galaxies(psf(1, 1.7), round_one, size)[0].astype(float)
    assert image.sum() == pytest.approx(500, rel=1e-4)
    distance = np.hypot(*np.meshgrid(np.arange(size) - 120, np.arange(size) - 120))
    assert image[distance < radius].sum() == pytest.approx(250, rel=0.04)
    assert scale_length(np.array(1.0), np.array(index)) > 0


def test_a_perfect_subtraction_leaves_the_change_alone(still):
    camera = instrument("ztf")
    rng = np.random.default_rng(2)
    field = Points(flux_from_magnitude(rng.uniform(16, 20, (4, 9))), rng.uniform(-25, 25, (4, 9)), rng.uniform(-25, 25, (4, 9)))
    change = Points(flux_from_magnitude(np.full((4, 1), 18.0)) * np.array([[1], [1], [-1], [0]]), np.zeros((4, 1)), np.zeros((4, 1)))
    # as deep as to see no photon noise
    how = exact(camera, 4, zero_point=26.2, template_seeing=3.0)
    quiet = type(camera)(**{n: getattr(camera, n) for n in camera.__slots__} | {"gain": 1e9, "saturation": 1e9})
    image = render(Scene(change, field, dark(4)), how, quiet, rng)
    expected = 10 ** (0.4 * (26.2 - 18.0))
    assert image[:, 2].sum((1, 2)) == pytest.approx(expected * np.array([1, 1, -1, 0]), abs=0.03 * expected)
    assert np.abs(image[3, 2]).max() < 0.01 * image[3, 0].max()
    # where nothing changes, science image and template have the same light
    assert (image[3, 0] - image[3, 1]).sum() == pytest.approx(0, abs=0.01 * float(image[3, 0].sum()))


def test_noise_is_what_the_conditions_say(still):
    camera = instrument("ztf")
    n = 60
    how = exact(camera, n, noise=7.0, template_noise=1.5, background=120.0)
    image = render(Scene(nothing(n), nothing(n), dark(n)), how, camera, np.random.default_rng(3))
    assert image[:, :2].mean((0, 2, 3)) == pytest.approx([120, 120], abs=0.1)
    assert image[:, 2].mean() == pytest.approx(0, abs=0.05)
    assert image.std((0, 2, 3)) == pytest.approx([7.0, 1.5, np.hypot(7.0, 1.5)], rel=0.02)
    white = image[:, 0] - 120
    assert (white[:, :, 1:] * white[:, :, :-1]).mean() == pytest.approx(0, abs=0.4)


def test_difference_noise_stays_white_whatever_the_seeing():
    rng = np.random.default_rng(4)
    n, side = 40, 64
    science, template = rng.standard_normal((n, side, side), np.float32) * 5, rng.standard_normal((n, side, side), np.float32) * 3
    for pair in ((2.0, 4.0), (4.0, 2.0), (9.0, 9.0)):
        result = subtract(science, template, (psf(n, pair[0]), psf(n, pair[1])), (np.full(n, 5.0), np.full(n, 3.0)), np.zeros((2, n)))
        assert np.isfinite(result).all()
        assert result.std() == pytest.approx(np.hypot(5, 3), rel=0.02)
        assert (result[:, 1:] * result[:, :-1]).mean() == pytest.approx(0, abs=0.5)


def test_registration_makes_dipoles_and_saturation_is_a_ceiling(still):
    camera = instrument("ztf")
    star = Points(flux_from_magnitude(np.array([[15.0]])), np.zeros((1, 1)), np.zeros((1, 1)))
    image = render(Scene(nothing(), star, dark()), exact(camera, shift_x=0.4, zero_point=26.2), camera, np.random.default_rng(5))[0, 2]
    assert image[31, 28:31].sum() > 0 > image[31, 32:35].sum()
    full = Points(flux_from_magnitude(np.array([[9.0]])), np.zeros((1, 1)), np.zeros((1, 1)))
    image = render(Scene(nothing(), full, dark()), exact(camera, background=100.0), camera, np.random.default_rng(5))
    assert image[0, :2].max() < 1.05 * camera.saturation


@pytest.mark.parametrize("survey", INSTRUMENTS)
def test_every_class_of_every_survey(survey):
    camera = instrument(survey)
    labels = [*STAMP, *STAMP[::-1]] * 3
    made = simulate(labels, np.random.default_rng(6), survey)
    assert made.stamps.shape == (30, 3, camera.size, camera.size)
    assert made.stamps.dtype == np.float32
    assert list(made.labels) == labels
    assert not np.isinf(made.stamps).any()
    middle = camera.size // 2
    centre = made.stamps[:, :, middle - 3 : middle + 4, middle - 3 : middle + 4]
    assert np.isfinite(centre).all(), "holes spare the source"
    # found means seen in the difference, positive for both signs of the change where the instrument flips it
    lit = np.array(labels) != "bogus"
    sign = np.where((made.columns["isdiffpos"][lit] == "t") | camera.flips, 1.0, -1.0)
    assert (sign * centre[lit, 2].mean((1, 2)) > 0).all()
    assert (made.columns["magpsf"] < made.columns["diffmaglim"]).all()


def test_the_same_seed_gives_the_same_alerts_and_another_others():
    first, again, other = (simulate(list(STAMP) * 4, np.random.default_rng(seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.stamps, again.stamps)
    assert first.metadata == again.metadata
    assert not np.array_equal(first.stamps[:, 0], other.stamps[:, 0], equal_nan=True)


def test_metadata_are_plain_bounded_and_without_sentinels():
    made = simulate(list(STAMP) * 40, np.random.default_rng(9))
    rows = json.loads(json.dumps(made.metadata, allow_nan=False))
    assert len(rows) == 200
    bounds = {
        "sgscore1": (0, 1), "distpsnr1": (0, 30), "distnr": (0, 100), "magpsf": (8, 23), "sigmapsf": (0, 0.5), "diffmaglim": (14, 23),
        "fwhm": (0.3, 30), "classtar": (0, 1), "ndethist": (1, 1e4), "ncovhist": (1, 1e5), "ra": (0, 360), "dec": (-30, 90),
        "fid": (1, 2), "chinr": (0, 50), "sharpnr": (-3, 3), "sigmagnr": (0, 1),
    }  # fmt: skip
    for row in rows:
        assert row["isdiffpos"] in ("t", "f")
        for name, (low, high) in bounds.items():
            assert row[name] is None or low <= row[name] <= high, name
        ordered = [row[f"distpsnr{i}"] for i in (1, 2, 3) if row[f"distpsnr{i}"] is not None]
        assert ordered == sorted(ordered)
        assert row["ncovhist"] >= row["ndethist"]


def test_classes_are_what_their_names_say():
    made = simulate(["SN"] * 150 + ["VS"] * 150 + ["asteroid"] * 150 + ["AGN"] * 150, np.random.default_rng(10))
    column = {k: v.reshape(4, 150) for k, v in made.columns.items() if v.dtype.kind in "fi"}
    supernova, star, rock, nucleus = range(4)
    scatter = np.nanmedian(column["distnr"], axis=1)
    assert scatter[star] < 0.4
    assert scatter[nucleus] < 0.4
    assert scatter[supernova] > 3 * scatter[star]
    assert scatter[rock] > 2 * scatter[supernova]
    score = np.nanmedian(column["sgscore1"], axis=1)
    assert score[star] > 0.9 > 0.5 > score[supernova]
    negative = (made.columns["isdiffpos"] == "f").reshape(4, 150).mean(1)
    assert negative[rock] == 0
    assert negative[star] > 0.4 > negative[nucleus] > negative[supernova]
    middle = slice(30, 33)
    template = made.stamps[:, 1] - np.nanmedian(made.stamps[:, 1], axis=(1, 2), keepdims=True)
    assert (template[150:300, middle, middle].mean((1, 2)) > 0).mean() > 0.98, "a variable star is in the template"


def test_magnitude_agrees_with_an_aperture_on_the_difference():
    made = simulate(["asteroid"] * 100, np.random.default_rng(11))
    radius = np.hypot(*np.meshgrid(np.arange(63) - 31, np.arange(63) - 31))
    light = np.nansum(made.stamps[:, 2] * (radius < 9), axis=(1, 2))
    bright = made.columns["magpsf"] < 18.5
    measured = made.columns["magzpsci"][bright] - 2.5 * np.log10(light[bright])
    assert np.median(np.abs(measured - made.columns["magpsf"][bright])) < 0.1


def test_every_kind_of_artefact_is_drawn():
    camera = instrument("ztf")
    side = grid_size(63)
    wrong = bogus(ordinary(camera, 400, np.random.default_rng(12)), side, np.random.default_rng(13))
    assert set(wrong.kind) == set(KINDS)
    assert sum(KINDS.values()) == pytest.approx(1)
    painted = np.abs(wrong.extra).max((1, 2)) > 0
    assert painted[np.isin(wrong.kind, ("cosmic ray", "column", "streak", "ghost", "noise"))].all()
    missing = holes(400, 63, np.full(400, 0.5), np.random.default_rng(14))
    assert 0.35 < missing.any((1, 2)).mean() < 0.6
    assert not missing[:, 28:35, 28:35].any()


def test_unknown_classes_surveys_and_hopeless_conditions_are_errors():
    rng = np.random.default_rng(15)
    with pytest.raises(ClassifierError, match="comet"):
        simulate(["SN", "comet"], rng)
    with pytest.raises(ClassifierError, match="hubble"):
        simulate(["SN"], rng, "hubble")
    blind = ordinary(instrument("ztf"), 1, rng)
    with pytest.raises(ClassifierError, match="bright enough"):
        simulate(["asteroid"], rng, conditions=blind.replace(noise=np.array([1e9])))
    assert simulate([], rng).stamps.shape == (0, 3, 63, 63)


@pytest.mark.parametrize("size", [30, 41, 54, 63])
def test_cutouts_of_any_size_are_centred_on_the_source(size, still):
    camera = instrument("lsst")
    source = Points(flux_from_magnitude(np.array([[20.0]])), np.zeros((1, 1)), np.zeros((1, 1)))
    image = render(Scene(source, nothing(), dark()), exact(camera), camera, np.random.default_rng(16), size=size)[0]
    middle = (size - 1) // 2
    assert image.shape == (3, size, size)
    for c in (0, 2):
        assert np.unravel_index(image[c].argmax(), image[c].shape) == (middle, middle)


def test_statistics_see_a_difference_and_no_difference():
    rng = np.random.default_rng(17)
    one, two = (simulate(["asteroid"] * 40, np.random.default_rng(seed)) for seed in (18, 19))
    names, values = statistics(one.stamps)
    assert values.shape == (40, len(names))
    same = realism.separability(values, statistics(two.stamps)[1], 0, trees=60)
    blurred = two.stamps + rng.normal(0, 15, two.stamps.shape)
    assert same < 0.75
    assert realism.separability(values, statistics(blurred)[1], 0, trees=60) > 0.9


def test_realism_of_a_folder_without_stamps_is_an_error(tmp_path, capsys):
    assert realism.main(["--data", str(tmp_path)]) == 1
    assert "no labelled stamps" in capsys.readouterr().err
