"""The interactive light curve: plotly figures as JSON; the page sets their colours from its style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.time import Time

from broker_adapters.records import Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce.pages.figures import outlook
from tom_alerce.pages.figures.axes import DATES, Axes
from tom_alerce.pages.figures.series import QUANTITIES, Series, series


def figures(rows: Detections, forecast: Mapping[str, Any] | None = None, star: bool = False, axes: Axes = DATES) -> dict[str, Any]:
    """Draw each of `QUANTITIES` that has points as a plotly figure in JSON: {quantity: {title, data, layout}}.

    A ``forecast`` (`classifiers.models.lightcurve.forecast.Forecast.as_dict`) is drawn too. The page sets the colours: ``meta`` of a
    trace holds its band. A forecast has dates and apparent magnitudes, and is left out on other ``axes``.
    """
    forecast = forecast if axes == DATES else None
    drawn_figures = {}
    for quantity, title in QUANTITIES.items():
        drawn = series(rows, quantity, star)
        detected = {one.name for one in drawn if one.style == "detection"}
        traces = [_trace(one, quantity, one.style == "detection" or one.name not in detected, axes) for one in drawn]
        if traces:
            predicted = outlook.traces(forecast, quantity)
            end = forecast["mjd"][-1] if forecast and predicted else -np.inf
            drawn_figures[quantity] = {"title": title, "data": predicted + traces, "layout": _layout(rows, quantity, drawn, end, axes)}
    return drawn_figures


def _layout(rows: Detections, quantity: str, drawn: list[Series], end: float, axes: Axes) -> dict[str, Any]:
    """Axes that reach ``end`` (MJD), and a note on points that this quantity cannot show."""
    title = QUANTITIES[quantity]
    if axes.modulus is not None and quantity != "flux":
        title = f"Absolute {title[0].lower()}{title[1:]}"
    vertical: dict[str, Any] = {"title": {"text": title}, "zeroline": quantity == "flux"}
    if quantity != "flux":
        vertical["autorange"] = "reversed"
    mjd = np.concatenate([one.rows["mjd"] for one in drawn])
    last = max(mjd.max(), end)
    margin = max(0.03 * np.ptp(mjd), 1.0)
    span = Time([mjd.min() - margin, last + margin], format="mjd").isot.tolist()
    across: dict[str, Any] = {"title": {"text": axes.title}}
    across |= {"type": "date", "range": span} if axes.is_date else {"range": [0.0, 2.0]} if axes.period is not None else {}
    layout: dict[str, Any] = {"yaxis": vertical, "xaxis": across, "hovermode": "closest"}
    below = int(np.sum(significant(rows, SHOWN) & (rows["flux"] < 0)))
    if quantity == "difference" and below:
        text = f"{below} below the reference: see the flux"
        place = {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom", "showarrow": False}
        layout["annotations"] = [{"text": text, **place}]
    return layout


def _trace(one: Series, quantity: str, in_legend: bool, axes: Axes) -> dict[str, Any]:
    """Draw points as one plotly trace; a band has one entry in the legend, which also shows and hides its forced points and limits."""
    symbol = "triangle-down-open" if one.style == "limit" else one.symbol + ("-open" if one.style == "forced" else "")
    unit = " µJy" if quantity == "flux" else ""
    label = {"limit": " limit", "forced": " forced", "detection": ""}[one.style]
    when = "%{x|%Y-%m-%d %H:%M} UTC" if axes.is_date else "%{x:.3f}"
    trace: dict[str, Any] = {
        "type": "scattergl" if one.rows.size > 2000 else "scatter",
        "mode": "markers",
        "name": one.name + label,
        "legendgroup": one.name,
        "showlegend": in_legend,
        "x": axes.x(one.rows["mjd"]),
        "y": axes.twice(np.round(one.values if quantity == "flux" else axes.y(one.values, one.band), 4).tolist()),
        "customdata": axes.twice([[round(float(r["mjd"]), 5), str(r["source_id"])] for r in one.rows]),
        "hovertemplate": f"%{{y:.3f}}{unit}<br>{when}<br>MJD %{{customdata[0]:.5f}}<extra>{one.name}{label}</extra>",
        "marker": {"symbol": symbol, "size": 8 if one.style != "limit" else 7, "opacity": 1.0 if one.style == "detection" else 0.7},
        "meta": {"band": one.band},
    }
    if np.isfinite(one.errors).any():
        bars = axes.twice([round(float(e), 4) if np.isfinite(e) else 0 for e in one.errors])
        trace["error_y"] = {"type": "data", "array": bars, "thickness": 1, "width": 0}
    return trace
