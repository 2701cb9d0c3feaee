"""The ATLAS forced-photometry server (Shingles et al. 2021, TNS AstroNote 2021-7): a queue that one submits to, polls and fetches from.

A task takes minutes to hours, so that nothing here waits for one: keep ``Task.url`` and come back. A task that is finished may have no
result ("No data returned"); that is an answer, an empty light curve with a reason, and not a reason to poll on.

Traps (server source of August 2026): without ``mjd_min`` only the last 30 days are measured, an empty one means everything since 2015;
an HTML ``Accept`` is redirected to a login page; more than 500 waiting tasks are refused with 400, which means "later";
``PA_DEG`` is a column of newer tables only, so that columns go by their names; times are those of the *start* of the exposure.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from broker_adapters.brokers._answers import answered, listed
from broker_adapters.errors import PacketError, RateLimited, SourceError, Unavailable
from broker_adapters.records import Alert, Detections, Query, blank, frozen
from broker_adapters.sources.http import Http
from broker_adapters.surveys import atlas
from broker_adapters.values import counted, floats, sound

logger = logging.getLogger(__name__)

URL = "https://fallingstar-data.com/forcedphot"
#: Days before the latest measurement of a place that are measured again, since ATLAS repeats its reductions.
OVERLAP = 30.0

_HEADER = "###"
_NUMBERS = {"mjd": "MJD", "flux": "uJy", "flux_err": "duJy", "ra": "RA", "dec": "Dec"}
_COLUMNS = frozenset({"MJD", "uJy", "duJy", "F", "RA", "Dec", "Obs"})
#: Ranges (exclusive) that the server's FAQ gives for a measurement that can be trusted; a column that is absent is not asked.
_TRUSTED: Mapping[str, tuple[float, float]] = {
    "duJy": (0.0, 10000.0),
    "err": (-0.5, 0.5),
    "x": (100.0, 10460.0),
    "y": (100.0, 10460.0),
    "maj": (1.6, 5.0),
    "min": (1.6, 5.0),
    "apfit": (-1.0, -0.1),
    "mag5sig": (17.0, np.inf),
    "Sky": (17.0, np.inf),
}


@dataclass(frozen=True, slots=True)
class Task:
    """A request to the server. Its ``url`` is all that has to be kept.

    Attributes
    ----------
    state : str
        'queued', 'running', 'done' (there is a result), 'empty' (finished without one, for the ``reason`` given) or 'gone' (the server has
        deleted it, which it does a month after the end: submit again).
    position : int or None
        Tasks before it in the queue.
    """

    url: str
    state: Literal["queued", "running", "done", "empty", "gone"] = "queued"
    result_url: str | None = None
    reason: str = ""
    position: int | None = None

    @property
    def finished(self) -> bool:
        """Whether polling again can change nothing."""
        return self.state in ("done", "empty", "gone")


def read(table: str, *, trusted: bool = True) -> Detections:
    """The rows of a result table, read-only, shape (n,): forced *difference* photometry, whatever its significance.

    A table that was asked for with ``use_reduced`` has *total* fluxes under the same header: it must not be given.

    Several tables may follow one another, each with its header. Rows that do not fit to their header, or have no time, filter or id, are
    left out, and the log has their number. Rows that fail the quality ranges of the server's FAQ (edge of the chip, bad fit, no
    photometric solution) are left out where only ``trusted`` ones are wanted.

    Raises
    ------
    PacketError
        There is no header, or not one row can be read.
    """
    if not table.startswith(_HEADER):
        raise PacketError(f"not a table of ATLAS forced photometry: it begins with {table[:40]!r}")
    dropped: Counter[str] = Counter()
    rows = [row for part in table.split(_HEADER)[1:] for row in _rows(part, dropped)]
    if dropped and not rows:
        raise PacketError(f"a table of ATLAS forced photometry of which no row can be read: {counted(dropped)}")
    columns = {name: np.array([row.get(name, "") for row in rows], "U40") for name in {*_COLUMNS, *_TRUSTED}}
    good = _trusted(columns, rows) if trusted else np.ones(len(rows), bool)
    found = sound(_detections({name: column[good] for name, column in columns.items()}), dropped) if good.any() else blank(0)
    if dropped:
        logger.warning("rows of a table of ATLAS forced photometry are left out: %s", counted(dropped))
    return frozen(found)


def _rows(part: str, dropped: Counter[str]) -> list[dict[str, str]]:
    """The rows of one table by the names of its columns; its first line is the header."""
    header, *lines = part.splitlines() or [""]
    names = header.split()
    rows = [line.split() for line in lines if line.strip()]
    if missing := _COLUMNS - set(names):
        dropped[f"of a table without {', '.join(sorted(missing))}"] += max(len(rows), 1)
        return []
    fitting = [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]
    if len(fitting) < len(rows):
        dropped["does not fit to the header"] += len(rows) - len(fitting)
    return fitting


def _trusted(columns: Mapping[str, NDArray[np.str_]], rows: Sequence[Mapping[str, str]]) -> NDArray[np.bool_]:
    """Rows within the ranges of all columns that their table has."""
    good = np.ones(len(rows), bool)
    for name, (low, high) in _TRUSTED.items():
        values = floats(columns[name].tolist())
        good &= ((values > low) & (values < high)) | np.array([name not in row for row in rows], bool)
    return good


def _detections(columns: Mapping[str, NDArray[np.str_]]) -> Detections:
    return atlas.forced(
        exposure_id=columns["Obs"].tolist(),
        band=columns["F"].tolist(),
        **{name: floats(columns[column].tolist()) for name, column in _NUMBERS.items()},
    )


def _task(fields: Mapping[str, Any]) -> Task:
    """A task as the server describes it."""
    url, position = fields.get("url"), fields.get("queuepos")
    if not isinstance(url, str):
        raise Unavailable("the ATLAS server described a task without an address")
    task = Task(url, position=position if isinstance(position, int) else None)
    if not fields.get("finishtimestamp"):
        return replace(task, state="running" if fields.get("starttimestamp") else "queued")
    result = fields.get("result_url")
    if isinstance(result, str):
        return replace(task, state="done", result_url=result)
    return replace(task, state="empty", reason=str(fields.get("error_msg") or "the server gives no result and no reason"))


class Client:
    """The server, for one account.

    Parameters
    ----------
    token : str
        Of https://fallingstar-data.com/forcedphot/apitoken/.
    url : str
    timeout, retries, patience, sleep
        See `broker_adapters.sources.http.Http`.
    """

    #: The server measures positions and has no objects, so that it cannot be polled for any survey.
    surveys: tuple[str, ...] = ()
    rejected: Sequence[tuple[str, Exception]] = ()

    def __init__(
        self,
        token: str = "",
        *,
        url: str = URL,
        timeout: float = 30.0,
        retries: int = 3,
        patience: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._url = url.rstrip("/")
        self._http = Http("ATLAS forced photometry", headers, timeout=timeout, retries=retries, patience=patience, sleep=sleep)

    def search(self, query: Query) -> Iterator[Alert]:
        """Nothing, since the server has no objects."""
        return iter(())

    def submit(self, ra: float, dec: float, *, since: float | None = None, until: float | None = None, comment: str = "") -> Task:
        """Ask for all measurements at a position (degrees) between two times (MJD); since 2015 where ``since`` is None.

        ``comment`` is a text of the caller's own, by which `find` knows the task again.

        Raises
        ------
        RateLimited
            Asked too often, or too many of this account's tasks are waiting.
        """
        comment = comment or f"tom_alerce {uuid.uuid4().hex}"
        form = {"ra": ra, "dec": dec, "mjd_min": "" if since is None else since, "use_reduced": "false", "comment": comment}
        if until is not None:
            form["mjd_max"] = until
        try:
            answer = self._http.post(f"{self._url}/queue/", form, accept=(400,))
        except Unavailable:
            # it may have arrived; a second task would make the account wait for the same measurements twice
            arrived = self.find(comment)
            if arrived is None:
                raise
            return arrived
        if answer.status == 400:
            reason = answer.text()[:300]
            if "too many queued tasks" in reason:
                raise RateLimited(f"{answer.name}: {reason}")
            raise SourceError(f"{answer.name} refused the request: {reason}")
        return self._own(_task(answered(answer)))

    def poll(self, task: Task) -> Task:
        """The task as it now stands; one request, and none where it is finished."""
        if task.finished:
            return task
        answer = self._http.get(self._own(task).url, accept=(404,))
        if answer.status == 404:
            return replace(task, state="gone", reason="the server has deleted the task")
        return replace(_task(answered(answer)), url=task.url)

    def fetch(self, task: Task, *, trusted: bool = True) -> Detections:
        """The light curve of a finished task, shape (n,), as `read` gives it; empty where the state is 'empty'.

        Raises
        ------
        SourceError
            The task is not finished, or the server has deleted it or its result.
        """
        if task.state == "empty":
            return frozen(blank(0))
        if task.state != "done" or task.result_url is None:
            raise SourceError(f"ATLAS task {task.url} has no result: it is {task.state}")
        return read(self._http.get(self._own(task).result_url or "").text(), trusted=trusted)

    def find(self, comment: str) -> Task | None:
        """The task of this account with this comment, among its latest; None where there is none."""
        answer = self._http.get(f"{self._url}/queue/", {"pagesize": 100})
        for fields in listed(answered(answer).get("results"), "tasks"):
            if fields.get("comment") == comment:
                return self._own(_task(fields))
        return None

    def _own(self, task: Task) -> Task:
        """The task, whose addresses must be the server's own, since our token is sent there."""
        for url in (task.url, task.result_url):
            if url is not None and urlsplit(url).netloc != urlsplit(self._url).netloc:
                raise SourceError(f"an ATLAS task at another server than {self._url}")
        return task
