"""Figures: what is drawn is what was measured, and it is inside the frame."""

from __future__ import annotations

import re

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters.records import SYMBOLS, Band, Kind, Survey, blank
from classifiers.posterior.records import AHEAD, CLASSES, DAYS, Outlooks
from tom_alerce.pages.figures import colours, interactive, outlook, svg
from tom_alerce.pages.figures.series import QUANTITIES, series

NOW = 61_000.0


def curve(*points):
    """Rows from (survey, band, kind, days before now, flux, error, reference flux)."""
    rows = blank(len(points))
    for i, (survey, band, kind, days, flux, error, reference) in enumerate(points):
        rows[i]["survey"], rows[i]["band"], rows[i]["kind"], rows[i]["mjd"] = survey, band, kind, NOW - days
        rows[i]["flux"], rows[i]["flux_err"], rows[i]["ref_flux"], rows[i]["source_id"] = flux, error, reference, str(2**60 + i)
    return rows


MICROJANSKY_100 = 1e5  # nJy: magnitude 18.9
EXAMPLE = curve(
    ("ztf", "r", Kind.LIMIT, 9, np.nan, 200.0, np.nan),
    ("ztf", "r", Kind.ALERT, 5, MICROJANSKY_100, 1e3, 9 * MICROJANSKY_100),
    ("ztf", "r", Kind.FORCED, 4, 500.0, 200.0, np.nan),
    ("lsst", "r", Kind.FORCED, 3, 2e4, 200.0, np.nan),
    ("atlas", "o", Kind.ALERT, 2, -3e4, 1e3, 1e5),
)


def by_name(quantity):
    return {(one.name, one.style): one for one in series(EXAMPLE, quantity)}


def test_flux_shows_every_row():
    drawn = by_name("flux")
    assert set(drawn) == {("ZTF-r", "limit"), ("ZTF-r", "detection"), ("ZTF-r", "forced"), ("LSST-r", "forced"), ("ATLAS-o", "detection")}
    assert drawn["ZTF-r", "detection"].values == pytest.approx([100.0])
    assert drawn["ZTF-r", "limit"].values == pytest.approx([1.0])  # five times 0.2 µJy
    assert drawn["ATLAS-o", "detection"].values == pytest.approx([-30.0])


def test_difference_magnitudes_are_those_of_positive_fluxes_and_faint_forced_points_are_limits():
    drawn = by_name("difference")
    assert set(drawn) == {("ZTF-r", "limit"), ("ZTF-r", "detection"), ("LSST-r", "forced")}
    assert drawn["ZTF-r", "detection"].values == pytest.approx([18.9])
    assert drawn["ZTF-r", "detection"].errors == pytest.approx([2.5 / np.log(10) / 100])
    assert drawn["ZTF-r", "limit"].values == pytest.approx([31.4 - 7.5, 31.4 - 7.5])  # 1000 nJy


def test_total_magnitude_is_that_of_the_sum_and_has_no_limits():
    drawn = by_name("total")
    assert set(drawn) == {("ZTF-r", "detection"), ("ATLAS-o", "detection")}
    assert drawn["ZTF-r", "detection"].values == pytest.approx([16.4])  # ten times 100 µJy
    assert drawn["ATLAS-o", "detection"].values == pytest.approx([31.4 - 2.5 * np.log10(7e4)])


def test_plotly_takes_the_figures():
    figures = interactive.figures(EXAMPLE)
    assert list(figures) == list(QUANTITIES)
    for figure in figures.values():
        go.Figure(data=figure["data"], layout=figure["layout"])
    symbols = {trace["name"]: trace["marker"]["symbol"] for trace in figures["difference"]["data"]}
    assert symbols == {"ZTF-r limit": "triangle-down-open", "ZTF-r": "circle", "LSST-r forced": "diamond-open"}
    assert figures["difference"]["layout"]["yaxis"]["autorange"] == "reversed"
    assert figures["difference"]["layout"]["annotations"][0]["text"].startswith("1 below the reference")
    assert figures["flux"]["data"][0]["customdata"][0][1] == str(2**60 + 4), "ids stay texts"
    assert interactive.figures(blank(0)) == {}


def test_a_band_stands_once_in_the_legend():
    for figure in interactive.figures(EXAMPLE).values():
        names = [trace["legendgroup"] for trace in figure["data"] if trace["showlegend"]]
        assert sorted(names) == sorted({trace["legendgroup"] for trace in figure["data"]})


def test_what_faded_is_drawn_as_flux_and_what_brightened_as_magnitude():
    assert svg.light_curve(EXAMPLE, NOW).quantity == "flux"
    brightened = EXAMPLE[EXAMPLE["survey"] != "atlas"]
    plot = svg.light_curve(brightened, NOW)
    assert plot.quantity == "difference"
    up, down = (heights(plot, f"{style} survey-{survey} band-r")[0] for style, survey in (("detection", "ztf"), ("forced", "lsst")))
    assert up < down, "the brighter is the higher"
    assert svg.light_curve(blank(0), NOW) is None


def test_the_small_light_curve_is_of_late_the_large_one_of_ever():
    rows = curve(*(("ztf", "g", Kind.ALERT, days, 1e5, 1e3, np.nan) for days in (2000, 1000, 30, 1)))
    assert mark_count(svg.light_curve(rows, NOW)) == 2
    assert mark_count(svg.light_curve(rows, NOW, recent=None)) == 4


def heights(plot, css):
    return [float(m[1]) for layer in plot.layers if layer.css == css for m in re.findall(r"M(\S+) ([\d.]+)", layer.d)]


def mark_count(plot):
    return sum(layer.d.count("M") for layer in plot.layers if layer.css.startswith("detection"))


point = st.tuples(
    st.sampled_from(["ztf", "lsst", "atlas", "other"]),
    st.sampled_from(["g", "r", ""]),
    st.sampled_from(list(Kind)),
    st.floats(-1, 5000),
    st.one_of(st.floats(-1e9, 1e9), st.just(np.nan)),
    st.one_of(st.floats(1e-3, 1e7), st.just(np.nan)),
    st.one_of(st.floats(0, 1e9), st.just(np.nan)),
)


@settings(max_examples=150)
@given(st.lists(point, max_size=12))
def test_any_light_curve_stays_in_its_frame(points):
    rows = curve(*points)
    interactive.figures(rows)
    plot = svg.light_curve(rows, NOW)
    if plot is None:
        return
    for layer in plot.layers:
        for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", layer.d):
            assert -5 <= float(x) <= plot.width + 5
            assert -8 <= float(y) <= plot.height + 8
    assert 1 <= len(plot.y_ticks) <= 12
    assert not any("nan" in layer.d or "inf" in layer.d for layer in plot.layers)


def night(altitude, moon=()):
    return {"times": list(NOW + np.linspace(0.0, 0.25, len(altitude))), "altitude": list(altitude), "moon_altitude": list(moon)}


def test_altitude_above_the_limit_is_the_bold_part():
    plot = svg.altitude(night([0, 30, 60, 30, 0], [10, 5, 0, -5, -10]), 25.0, NOW + 0.1)
    css = [layer.css for layer in plot.layers]
    assert css == ["too-low", "limit-line", "moon", "altitude", "altitude up", "now"]
    assert plot.layers[4].d.count("L") == 2
    assert "highest 60° at 03:00 UTC" in plot.summary
    assert [tick.label for tick in plot.x_ticks] == ["00:00", "02:00", "04:00"]


def test_a_moon_that_is_down_is_not_drawn_and_no_night_is_no_plot():
    assert "moon" not in [layer.css for layer in svg.altitude(night([40, 50], [-5, -6]), 30.0).layers]
    assert svg.altitude({}, 30.0) is None
    assert svg.altitude({"times": [], "altitude": []}, 30.0) is None
    assert svg.altitude({"times": [1.0, 2.0], "altitude": [1.0]}, 30.0) is None


def foreseen(**families):
    """A forecast of two days from NOW: flux in nJy (low, middle, high) of each family."""
    rows = {
        band: {
            "flux": [[f * q for q in (0.9, 1.0, 1.1)] for f in flux],
            "peak_mjd": [NOW - 1, NOW, NOW + 2],
            "peak_mag": [18.8, 18.9, 19.0],
        }
        for band, flux in families.items()
    }
    return {"mjd": [NOW, NOW + 10], "families": rows}


def test_an_outlook_is_read_off_the_forecast_as_long_as_it_reaches():
    forecast = foreseen(r=[MICROJANSKY_100, 3 * MICROJANSKY_100])
    (one,) = outlook.outlooks(forecast, NOW)
    assert one.tonight.middle == pytest.approx(18.9)
    assert one.tonight.bright < one.tonight.middle < one.tonight.faint
    assert one.in_a_week.middle == pytest.approx(18.9 - 2.5 * np.log10(2.4))
    assert (one.peak_mjd, one.peak_days) == (NOW, 1.5)
    assert outlook.outlooks(forecast, NOW + 5)[0].in_a_week is None
    assert outlook.outlooks(forecast, NOW + 11) == outlook.outlooks(None, NOW) == []


def test_a_forecast_is_drawn_where_it_has_a_meaning():
    forecast = foreseen(r=[MICROJANSKY_100, -1.0], g=[-1.0, -1.0])
    drawn = interactive.figures(EXAMPLE, forecast)
    flux, difference, total = ([t for t in drawn[q]["data"] if "forecast" in t["name"]] for q in QUANTITIES)
    assert [t["meta"]["band"] for t in flux] == ["r", "r", "g", "g"]
    assert flux[1]["y"] == pytest.approx([100.0, -0.001])
    assert [len(t["x"]) for t in difference] == [2, 1]  # what may be nothing has no magnitude
    assert total == []
    assert drawn["flux"]["layout"]["xaxis"]["range"][1] > drawn["total"]["layout"]["xaxis"]["range"][1]
    for figure in drawn.values():
        go.Figure(data=figure["data"], layout=figure["layout"])


def test_the_forecast_of_a_posterior_has_its_fan_and_its_peak():
    days = len(AHEAD)
    magnitude = np.linspace(18.0, 20.0, days) + np.array([-0.2, 0.0, 0.2])[:, None] + np.zeros((1, 2, 3, days))
    cdf = np.tile(np.clip((DAYS + 2.0) / 8.0, 0, 1), (1, len(CLASSES), 1))
    one = Outlooks([NOW], cdf, [[1.0, 0, 0, 0]], magnitude, np.tile([17.7, 17.8, 18.0], (1, 2, 1)), [[-9, -8, -7]], [0.1], [False])
    forecast = outlook.of_posterior(one)
    g, r = outlook.outlooks(forecast, NOW)
    assert g.peak_mjd == pytest.approx(NOW + 2.0, abs=0.02)
    assert (r.tonight.bright, r.tonight.middle, r.tonight.faint) == pytest.approx((17.8, 18.0, 18.2), abs=1e-3)
    peaks = [t for t in interactive.figures(EXAMPLE, forecast)["difference"]["data"] if "peak" in t["name"]]
    assert [t["y"] for t in peaks] == [[17.8], [17.8]]
    assert peaks[0]["error_x"]["array"][0] == pytest.approx(0.34 * 8 * 86_400_000, rel=0.01)
    go.Figure(data=peaks)


def test_bands_have_a_colour_on_every_theme_and_bands_of_one_name_share_it():
    first = Survey(name="first", bands=(Band("g", colour="#009e73", red="#ff8a80", ink=0.10), Band("i", colour="quiet"), Band("w")))
    second = Survey(name="second", bands=(Band("g", colour="#000000"), Band("Hs", colour="#8c510a")))
    css = colours.style([first, second])
    assert "--band-g:color-mix(in oklab, #009e73 90%, var(--alerce-ink));" in css
    assert "--band-i:var(--alerce-quiet);" in css
    assert "#000000" not in css
    plain, red = css.split('.alerce[data-theme="red"]')
    assert "--band-Hs:color-mix(in oklab, #8c510a 85%" in plain
    assert "--band-g:#ff8a80;--band-i:var(--alerce-ink);--band-Hs:var(--alerce-ink);" in red  # never another colour on a red page
    assert ".alerce .band-Hs{--band:var(--band-Hs)}" in css
    assert "band-w" not in css


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_symbol_of_a_survey_is_a_closed_path(symbol):
    d = svg.MARKS[symbol](10.0, 20.0, 2.0)
    assert d.startswith("M")
    assert d.endswith("z") or "a" in d
