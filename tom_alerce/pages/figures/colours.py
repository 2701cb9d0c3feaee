"""Colours of bands as a block of CSS, made from the surveys' records."""

from __future__ import annotations

from collections.abc import Iterable

from broker_adapters import surveys
from broker_adapters.records import Band, Survey


def style(known: Iterable[Survey] | None = None) -> str:
    """CSS rules that give each band its colour on every theme; ``known`` are all surveys unless given.

    Bands of one name share the colour of the first survey that has it: symbols, not colours, tell the surveys apart.
    """
    bands: dict[str, Band] = {}
    for survey in surveys.known() if known is None else known:
        for band in survey.bands:
            if band.colour:
                bands.setdefault(band.name, band)
    plain = "".join(f"--band-{band.name}:{_colour(band)};" for band in bands.values())
    red = "".join(f"--band-{band.name}:{band.red or 'var(--alerce-ink)'};" for band in bands.values())
    classes = "".join(f".alerce .band-{name}{{--band:var(--band-{name})}}" for name in bands)
    return f'.alerce{{{plain}}}.alerce[data-theme="red"]{{{red}}}{classes}'


def _colour(band: Band) -> str:
    """The colour of a band, drawn towards the text's colour so that it is seen on light and on dark pages."""
    if band.colour == "quiet":
        return "var(--alerce-quiet)"
    return f"color-mix(in oklab, {band.colour} {100 * (1 - band.ink):.0f}%, var(--alerce-ink))"
