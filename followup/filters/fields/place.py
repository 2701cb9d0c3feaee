"""Where on the sky it is."""

from __future__ import annotations

from broker_adapters.crossmatch import from_plane
from followup.filters.measured import place
from followup.filters.records import Field, Kind

FIELDS = {
    "ra": Field("right ascension", "ICRS", values=lambda batch, at: batch.ra, column="ra", unit="°", low=0.0, high=360.0),
    "dec": Field("declination", "ICRS", values=lambda batch, at: batch.dec, column="dec", unit="°", low=-90.0, high=90.0),
    "galactic_latitude": Field(
        "|b|",
        "degrees from the plane of the Galaxy, north or south",
        values=lambda batch, at: from_plane(batch.ra, batch.dec),
        column="galactic_latitude",
        unit="°",
        low=0.0,
        high=90.0,
    ),
    "position": Field(
        "position",
        "within a circle, or outside it: right ascension, declination and radius in degrees",
        Kind.PLACE,
        values=lambda batch, at: place(batch)["x"],
        column="x",
    ),
}
