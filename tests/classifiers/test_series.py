"""Series of merged objects: which surveys' magnitudes are total, and that no survey takes another's away."""

import numpy as np
import pytest

from broker_adapters import surveys
from broker_adapters.merge import union
from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Kind, SkyObject, blank
from classifiers.models.lightcurve import Model
from classifiers.models.lightcurve.series import family, light_curve
from classifiers.taxonomy import LIGHTCURVE
from tests.broker_adapters.samples import sn_2026asx


def alerts(survey, flux, reference=np.nan, start=60000.0, bands=None):
    """One alert a day in each of both bands, of the same difference flux."""
    flux = np.repeat(np.asarray(flux, float), 2)
    rows = blank(len(flux))
    rows["survey"], rows["kind"] = survey, Kind.ALERT
    rows["band"] = np.tile({"atlas": ["c", "o"]}.get(survey, ["g", "r"]), len(flux) // 2)
    rows["source_id"] = [f"{survey}{i}" for i in range(len(flux))]
    rows["mjd"] = start + np.repeat(np.arange(len(flux) // 2), 2) + 0.01 * (rows["band"] == "r")
    rows["flux"], rows["flux_err"], rows["ref_flux"] = flux, 100.0, reference
    return rows


#: A supernova, and a star about its mean, in nJy.
RISING = 1e4 * np.arange(1.0, 9.0)
WAVE = 3e4 * np.sin(np.arange(8.0) + 0.5)
LSST_HOST, ZTF_STAR, LSST_STAR = 5e5, 2e5, 1.8e5


def merged(*parts):
    return light_curve(np.concatenate(parts))


def points(curve, survey_start):
    """Magnitudes of the rows of one survey: those of its eight nights."""
    return [s.mag[(s.t > survey_start - 0.5) & (s.t < survey_start + 8)] for s in curve.series]


@pytest.mark.parametrize("n_lsst", [2, 8])
def test_a_supernova_of_two_surveys_keeps_its_own_light_in_both(n_lsst):
    """Rubin's template flux is the host's, whichever survey has more points; ZTF has no reference source there."""
    curve = merged(alerts("ztf", RISING), alerts("lsst", RISING[:n_lsst], LSST_HOST, 60020.0))
    assert not curve.corrected
    assert np.isnan(curve.r.reference)
    for series in curve.series:
        assert series.mag == pytest.approx(magnitude_from_flux(series.flux))


def test_a_supernova_of_rubin_alone_is_not_its_host():
    curve = light_curve(alerts("lsst", RISING, LSST_HOST))
    assert not curve.corrected
    assert curve.g.mag == pytest.approx(magnitude_from_flux(RISING))


def test_a_star_of_rubin_is_total():
    curve = light_curve(alerts("lsst", WAVE, LSST_STAR))
    assert curve.corrected
    assert curve.g.mag == pytest.approx(magnitude_from_flux(WAVE + LSST_STAR))


def test_a_star_of_two_surveys_is_total_in_both_at_one_zero_point():
    curve = merged(alerts("ztf", WAVE, ZTF_STAR), alerts("lsst", WAVE[:7], LSST_STAR, 60020.0))
    assert curve.corrected
    assert points(curve, 60000.0)[0] == pytest.approx(magnitude_from_flux(WAVE + ZTF_STAR))
    shift = points(curve, 60020.0)[0] - magnitude_from_flux(WAVE[:7] + LSST_STAR)
    assert shift == pytest.approx(np.full(7, shift[0]))
    assert np.median(points(curve, 60020.0)[0]) == pytest.approx(np.median(points(curve, 60000.0)[0]))


def test_where_the_older_catalogue_has_nothing_there_is_no_total():
    assert not merged(alerts("ztf", RISING), alerts("lsst", WAVE, LSST_STAR, 60020.0)).corrected


@pytest.mark.parametrize("nights", [2, 8, 40])
def test_atlas_cannot_say_and_takes_no_magnitude_away(nights):
    """A star of ZTF keeps its totals however many points of ATLAS there are; those have fluxes, and no magnitudes."""
    atlas = alerts("atlas", np.resize(WAVE, nights), start=60020.0)
    star, alone = alerts("ztf", WAVE, ZTF_STAR), light_curve(alerts("ztf", WAVE, ZTF_STAR))
    curve = merged(star, atlas)
    assert curve.corrected
    assert curve.surveys == ("atlas", "ztf")
    for series, expected in zip(curve.series, alone.series, strict=True):
        assert len(series.flux) == 8 + nights
        assert series.mag[np.isfinite(series.mag)] == pytest.approx(expected.mag)
        assert series.reference == expected.reference


def test_atlas_beside_differences_and_alone_is_of_the_difference():
    for rows in (alerts("atlas", RISING), np.concatenate([alerts("atlas", RISING), alerts("ztf", RISING, start=60020.0)])):
        curve = light_curve(rows)
        assert not curve.corrected
        assert np.isfinite(curve.g.mag).all()
    three = merged(alerts("atlas", RISING), alerts("ztf", RISING, start=60020.0), alerts("lsst", RISING, LSST_HOST, 60040.0))
    assert np.concatenate([s.mag for s in three.series]) == pytest.approx(
        magnitude_from_flux(np.concatenate([s.flux for s in three.series]))
    )


def test_the_majority_decides_within_ztf_as_it_did():
    few, many = alerts("ztf", RISING[:3]), alerts("ztf", RISING, ZTF_STAR, 60020.0)
    curve = merged(few, many)
    assert curve.corrected
    assert np.isnan(points(curve, 60000.0)[0][:3]).all()
    assert points(curve, 60020.0)[1] == pytest.approx(magnitude_from_flux(RISING + ZTF_STAR))


def test_a_row_without_a_time_is_none():
    rows = alerts("ztf", RISING)
    rows["mjd"][3] = np.nan
    assert light_curve(rows).n_detections == 15


def forced(flux, mjd, **columns):
    """Forced rows of one band, errors of 100 nJy."""
    rows = blank(len(flux))
    rows["survey"], rows["kind"], rows["band"] = "ztf", Kind.FORCED, "g"
    rows["source_id"] = [f"forced{m}" for m in mjd]
    rows["mjd"], rows["flux"], rows["flux_err"] = mjd, flux, 100.0
    for name, value in columns.items():
        rows[name] = value
    return rows


def test_weak_forced_points_are_kept_beside_the_limits_that_they_are():
    curve = merged(alerts("ztf", RISING), forced([120.0, -310.0, 900.0], [59990.0, 59995.0, 60100.0]))
    assert curve.g.forced.t.tolist() == [59990.0, 59995.0]
    assert curve.g.forced.flux.tolist() == [120.0, -310.0]
    assert curve.g.limit_t.tolist() == curve.g.forced.t.tolist()
    assert curve.g.t[-1] == 60100.0  # nine sigma: a detection
    assert curve.g.forced.mag == pytest.approx(magnitude_from_flux([120.0, 310.0]))
    assert len(curve.r.forced.t) == 0


def test_the_forced_twin_of_an_alert_is_no_point_of_its_own():
    assert len(merged(alerts("ztf", RISING), forced([120.0], [60000.00003])).g.forced.t) == 0
    unreliable = alerts("ztf", RISING[:1])
    unreliable["reliability"] = 0.1
    assert len(merged(unreliable, forced([120.0], [60000.00003])).g.forced.t) == 1


def test_forced_points_have_total_magnitudes_where_detections_do():
    curve = merged(alerts("ztf", WAVE, ZTF_STAR), forced([120.0, -310.0], [59990.0, 59995.0], ref_flux=ZTF_STAR))
    assert curve.g.forced.mag == pytest.approx(magnitude_from_flux(np.array([120.0, -310.0]) + ZTF_STAR))
    shifted = merged(
        alerts("ztf", WAVE, ZTF_STAR),
        alerts("lsst", WAVE[:7], LSST_STAR, 60020.0),
        forced([120.0], [60050.0], survey="lsst", ref_flux=LSST_STAR),
    )
    moved = points(shifted, 60020.0)[0] - magnitude_from_flux(WAVE[:7] + LSST_STAR)
    assert shifted.g.forced.mag - magnitude_from_flux(120.0 + LSST_STAR) == pytest.approx(moved[0])


def test_position_and_reliability_are_those_of_the_detections():
    rows = alerts("ztf", RISING)
    rows["ra"], rows["dec"] = np.tile([359.9999, 0.0001], 8), 30.0  # across the meridian
    rows["reliability"] = np.linspace(0.6, 1.0, 16)
    curve = merged(rows, forced([120.0], [59990.0], ra=180.0, dec=-30.0))
    assert curve.position == pytest.approx((np.cos(np.pi / 6), 0.0, 0.5))
    assert curve.reliability == pytest.approx(0.8)
    assert np.isnan(light_curve(alerts("ztf", RISING)).position).all()
    assert np.isnan(light_curve(alerts("ztf", RISING)).reliability)


@pytest.mark.real_data
def test_a_real_supernova_of_two_surveys_keeps_every_magnitude(real_data):
    """SN 2026asx, LSST and ZTF: no reference source in ZTF, a template's flux in Rubin."""
    ztf, lsst = sn_2026asx(real_data)
    one = SkyObject(ztf.ra, ztf.dec, ztf.position_err, union([ztf.detections, lsst.detections]), (ztf, lsst))
    both, alone = light_curve(one.detections), light_curve(ztf.detections)
    assert both.surveys == ("lsst", "ztf")
    for series, before in zip(both.series, alone.series, strict=True):
        assert len(series.t) > len(before.t) > 0
        assert series.mag == pytest.approx(magnitude_from_flux(np.abs(series.flux)))
        assert set(before.mag) <= set(series.mag)
    assert Model().predict([one]).labels[0] in LIGHTCURVE["Transient"]


def test_band_families_follow_from_wavelengths():
    found = {(s.name, b.name): family(s.name, b.name) for s in surveys.known() for b in s.bands}
    assert {key: name for key, name in found.items() if name} == {
        ("ztf", "g"): "g", ("ztf", "r"): "r", ("lsst", "g"): "g", ("lsst", "r"): "r", ("atlas", "c"): "g", ("atlas", "o"): "r",
    }  # fmt: skip
    assert len(found) == 3 + 6 + 5
    assert family("ztf", "u") == family("unheard_of", "g") == ""
