"""Answers of remote catalogues, kept by cell of the sky: a place is asked about once in a while, and a failure costs nothing else."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import ArrayLike

from broker_adapters import healpix, plugins
from broker_adapters.catalogue import SOURCE, Catalogue, Sources, joined, nearest
from broker_adapters.errors import AdapterError
from tom_alerce import conf
from tom_alerce.models import SkyCell
from tom_alerce.store.sql import chunks

logger = logging.getLogger(__name__)

PACKAGE = "broker_adapters.catalogues"
#: Days for which an answer is taken as it is.
FRESH = 30.0
#: Arcseconds from the middle of a cell that are asked for: the cell (its corners are 38″ away), and `MARGIN` around it.
MARGIN = 10.0
_REACH = 38.0 + MARGIN


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Sources around n positions, and the catalogues that did not answer for all of them, with the reason: the rest is unknown.

    Attributes
    ----------
    sources : Sources, shape (k,)
    unknown : mapping of catalogue to reason
    """

    sources: Sources
    unknown: Mapping[str, str]


def around(ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None, *, remote: bool = False) -> Surroundings:
    """What the catalogues of the settings have around n positions (degrees), as `Catalogue.cone`.

    Packaged tables are read. Of remote catalogues what is stored is used, within `MARGIN` arcseconds at most; they are asked for the rest
    only where ``remote`` is true. Whatever is wrong with one of them, the others answer, and so does what is stored.
    """
    parts: list[Sources] = []
    unknown: dict[str, str] = {}
    for name, arguments in conf.get("CATALOGUES").items():
        try:
            module = plugins.load(PACKAGE, name)
            catalogue = module.Catalogue(**arguments)
            if module.REMOTE:
                kept, missing = _kept(_label(name, arguments), catalogue, ra, dec, remote)
                parts.append(nearest(kept, ra, dec, min(radius, MARGIN), mjd))
                if missing:
                    unknown[name] = missing
            else:
                parts.append(catalogue.cone(ra, dec, radius, mjd))
        except (AdapterError, LookupError, TypeError) as error:
            logger.warning("catalogue %s: %s", name, error)
            unknown[name] = str(error)
    return Surroundings(joined(parts), unknown)


def _label(name: str, arguments: Mapping[str, Any]) -> str:
    """What the answers are kept under: other arguments, other answers; no argument that may be secret."""
    return f"{name} {arguments['table']}"[:64] if isinstance(arguments.get("table"), str) else name[:64]


def _kept(label: str, catalogue: Catalogue, ra: ArrayLike, dec: ArrayLike, ask: bool) -> tuple[Sources, str]:
    """Sources of a remote catalogue in the cells of n positions, and why some of the cells are unknown, '' where none is.

    Cells that are not stored, or for too long, are asked for first where ``ask`` is true.
    """
    place = np.array([np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))])
    known = np.flatnonzero(np.isfinite(place).all(axis=0))
    cells = healpix.cells(*place[:, known])
    stored, reason = dict(_stored(label, np.unique(cells).tolist())), ""
    if missing := [cell for cell in np.unique(cells).tolist() if cell not in stored]:
        reason = "not asked about this place yet"
        if ask:
            try:
                stored |= _ask(label, catalogue, missing)
                reason = ""
            except AdapterError as error:
                logger.warning("catalogue %s: %s", label, error)
                reason = str(error)
    parts = []
    for position, cell in zip(known.tolist(), cells.tolist(), strict=True):
        if cell in stored:
            rows = stored[cell].copy()
            rows["query"] = position
            parts.append(rows)
    return joined(parts), reason


def _stored(label: str, cells: Sequence[int]) -> Iterator[tuple[int, Sources]]:
    oldest = timezone.now() - timedelta(days=FRESH)
    for part in chunks(cells):
        for row in SkyCell.objects.filter(catalogue=label, healpix__in=part, fetched__gte=oldest):
            rows = np.load(io.BytesIO(row.rows), allow_pickle=False)
            if rows.dtype == SOURCE:  # what an earlier version kept is asked for again
                yield row.healpix, rows


def _ask(label: str, catalogue: Catalogue, cells: Sequence[int]) -> dict[int, Sources]:
    """Ask about whole cells, and keep the answers."""
    rows = catalogue.cone(*healpix.centres(cells), _REACH)
    found = {cell: rows[rows["query"] == k] for k, cell in enumerate(cells)}
    now = timezone.now()
    SkyCell.objects.bulk_create(
        [SkyCell(catalogue=label, healpix=cell, rows=_packed(own), fetched=now) for cell, own in found.items()],
        update_conflicts=True,
        unique_fields=["catalogue", "healpix"],
        update_fields=["rows", "fetched"],
        batch_size=100,
    )
    return found


def _packed(rows: Sources) -> bytes:
    file = io.BytesIO()
    np.save(file, rows, allow_pickle=False)
    return file.getvalue()
