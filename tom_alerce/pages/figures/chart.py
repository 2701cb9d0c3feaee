"""Chart of the surroundings of an object, from what catalogues have there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broker_adapters.catalogue import Sources, stars
from tom_alerce.pages.figures.svg import Layer, Note, Plot, Tick, circle, minus, nice

#: Pixels of a side.
SIDE = 260


def chart(sources: Sources, ra: float, dec: float, reach: float = 60.0) -> Plot:
    """Draw what catalogues have within ``reach`` (arcseconds) of a position (degrees), north up and east left: stars and others."""
    east = ((sources["ra"] - ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec)) * 3600.0
    north = (sources["dec"] - dec) * 3600.0
    near = np.hypot(east, north) <= reach
    left, right, top, bottom = 26, SIDE - 6, 6, SIDE - 22
    centre_x, centre_y, scale = (left + right) / 2, (top + bottom) / 2, (right - left) / 2 / reach

    def path(chosen: NDArray[np.bool_], radius: float) -> str:
        places = zip(east[chosen].tolist(), north[chosen].tolist(), strict=True)
        return "".join(circle(centre_x - e * scale, centre_y - n * scale, radius) for e, n in places)

    is_star = stars(sources)
    cross = f"M{centre_x - 12} {centre_y}h8M{centre_x + 4} {centre_y}h8M{centre_x} {centre_y - 12}v8M{centre_x} {centre_y + 4}v8"
    layers = [Layer("star", path(near & is_star, 3.0)), Layer("galaxy", path(near & ~is_star, 5.0)), Layer("cross", cross)]
    offsets = nice(-reach, reach, 4)
    x_ticks = tuple(Tick(f"{centre_x - v * scale:.1f}", minus(f"{v:g}″")) for v in offsets)
    y_ticks = tuple(Tick(f"{centre_y - v * scale:.1f}", minus(f"{v:g}″")) for v in offsets)
    notes = (Note(f"{centre_x}", f"{top + 10}", "N"), Note(f"{left + 8}", f"{centre_y - 4}", "E"))
    summary = f"Chart, north up, east left: {int(near.sum())} sources of the catalogues within {reach:g}″; small: stars; large: galaxies"
    return Plot(SIDE, SIDE, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary, "", (), notes)
