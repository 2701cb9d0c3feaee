"""The interactive light curve: plotly figures as JSON; the page sets their colours from its style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.time import Time

from broker_adapters.records import Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce.pages.figures import outlook
from tom_alerce.pages.figures.series import QUANTITIES, Series, series


def figures(rows: Detections, forecast: Mapping[str, Any] | None = None, star: bool = False) -> dict[str, Any]:
    """Draw each of `QUANTITIES` that has points as a plotly figure in JSON: {quantity: {title, data, layout}}.

    A ``forecast`` (`classifiers.models.lightcurve.forecast.Forecast.as_dict`) is drawn too. The page sets the colours: ``meta`` of a
    trace holds its band.
    """
    drawn_figures = {}
    for quantity, title in QUANTITIES.items():
        drawn = series(rows, quantity, star)
        detected = {one.name for one in drawn if one.style == "detection"}
        traces = [_trace(one, quantity, one.style == "detection" or one.name not in detected) for one in drawn]
        if traces:
            predicted = outlook.traces(forecast, quantity)
            end = forecast["mjd"][-1] if forecast and predicted else -np.inf
            drawn_figures[quantity] = {"title": title, "data": predicted + traces, "layout": _layout(rows, quantity, drawn, end)}
    return drawn_figures


def _layout(rows: Detections, quantity: str, drawn: list[Series], end: float) -> dict[str, Any]:
    """Axes that reach ``end`` (MJD), and a note on points that this quantity cannot show."""
    vertical: dict[str, Any] = {"title": {"text": QUANTITIES[quantity]}, "zeroline": quantity == "flux"}
    if quantity != "flux":
        vertical["autorange"] = "reversed"
    mjd = np.concatenate([one.rows["mjd"] for one in drawn])
    last = max(mjd.max(), end)
    margin = max(0.03 * np.ptp(mjd), 1.0)
    span = Time([mjd.min() - margin, last + margin], format="mjd").isot.tolist()
    layout: dict[str, Any] = {"yaxis": vertical, "xaxis": {"title": {"text": "UTC"}, "type": "date", "range": span}, "hovermode": "closest"}
    below = int(np.sum(significant(rows, SHOWN) & (rows["flux"] < 0)))
    if quantity == "difference" and below:
        text = f"{below} below the reference: see the flux"
        place = {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom", "showarrow": False}
        layout["annotations"] = [{"text": text, **place}]
    return layout


def _trace(one: Series, quantity: str, in_legend: bool) -> dict[str, Any]:
    """Draw points as one plotly trace; a band has one entry in the legend, which also shows and hides its forced points and limits."""
    symbol = "triangle-down-open" if one.style == "limit" else one.symbol + ("-open" if one.style == "forced" else "")
    unit = " µJy" if quantity == "flux" else ""
    label = {"limit": " limit", "forced": " forced", "detection": ""}[one.style]
    trace: dict[str, Any] = {
        "type": "scattergl" if one.rows.size > 2000 else "scatter",
        "mode": "markers",
        "name": one.name + label,
        "legendgroup": one.name,
        "showlegend": in_legend,
        "x": Time(one.rows["mjd"], format="mjd").isot.tolist(),
        "y": np.round(one.values, 4).tolist(),
        "customdata": [[round(float(r["mjd"]), 5), str(r["source_id"])] for r in one.rows],
        "hovertemplate": f"%{{y:.3f}}{unit}<br>%{{x|%Y-%m-%d %H:%M}} UTC<br>MJD %{{customdata[0]:.5f}}<extra>{one.name}{label}</extra>",
        "marker": {"symbol": symbol, "size": 8 if one.style != "limit" else 7, "opacity": 1.0 if one.style == "detection" else 0.7},
        "meta": {"band": one.band},
    }
    if np.isfinite(one.errors).any():
        bars = [round(float(e), 4) if np.isfinite(e) else 0 for e in one.errors]
        trace["error_y"] = {"type": "data", "array": bars, "thickness": 1, "width": 0}
    return trace
