"""A real observation portal with its PostgreSQL on loopback, started from its own environment, and what its telescopes would do.

The portal (django-ocs-observation-portal) is another project with another Django: it runs as a process, and is never imported.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from tests.portal import network

HERE = Path(__file__).resolve().parent
PROPOSAL, POOR = "TOM2026", "POOR2026"
TOKEN, ADMIN = "localtoken0123456789", "admintoken0123456789"
#: Columns of a proposal's time, beside its semester.
_ALLOCATION = (
    *("proposal_id", "instrument_types", "ipp_limit", "ipp_time_available"),
    *(f"{kind}_{what}" for kind in ("std", "tc", "rr", "realtime") for what in ("allocation", "time_used")),
)
#: Seconds that a server has to come up.
_PATIENCE = 60.0


def environment() -> Path | None:
    """The virtual environment that holds the portal: ``TOM_ALERCE_PORTAL``, made by ``.ci/with-portal``; None where there is none."""
    folder = Path(os.getenv("TOM_ALERCE_PORTAL", HERE.parents[1] / ".portal"))
    return folder if (folder / "bin" / "gunicorn").exists() else None


def missing() -> str:
    """Why the portal cannot be started here; '' where it can."""
    if environment() is None:
        return "no environment with django-ocs-observation-portal: run the tests by .ci/with-portal"
    return "" if _binaries() is not None else "PostgreSQL is not installed"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Postgres:
    """A PostgreSQL server of its own in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True)
        if os.getuid() == 0:  # the server refuses root
            shutil.chown(folder, "postgres")
            for parent in folder.parents:
                if parent.stat().st_mode & 0o001 == 0 and parent.owner() == "root":
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")

    def _run(self, name: str, *arguments: object) -> None:
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        command = [*who, str(_binaries() / name), *map(str, arguments)]  # type: ignore[operator] # `missing` has looked
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def query(self, statement: str, database: str = "postgres") -> list[str]:
        """Rows of the first column."""
        command = [_binaries() / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-qAt", "-c", statement, database]  # type: ignore[operator]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    def cut(self, database: str) -> None:
        """End every connection to a database."""
        self.query(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'")

    def stop(self) -> None:
        """End the server."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")


class Portal:
    """The portal: ``url`` is where it answers; `kill` and `start` it as often as needed, its data stay."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.postgres = Postgres(folder / "postgresql")
        network.write(folder / "configdb")
        here = free_port()
        server = [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", str(folder / "configdb"), str(here)]
        self._configdb = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at = f"http://127.0.0.1:{here}"
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(HERE),
            "PYTHONWARNINGS": "ignore",
            "DJANGO_SETTINGS_MODULE": "portal_settings",
            "PORTAL_DATABASE": "portal",
            "PORTAL_POSTGRESQL": str(self.postgres.port),
            "CONFIGDB_URL": at,
            "DOWNTIMEDB_URL": f"{at}/",
            "OPENSEARCH_URL": "http://127.0.0.1:9",
            "REQUESTGROUPS_CREATE_DEFAULT_THROTTLE": "100000/day",
        }
        self._process: subprocess.Popen[bytes] | None = None
        _answers(f"{at}/sites/")
        self._fill()
        self.start()

    def _fill(self) -> None:
        """Tables, two users, a proposal with time and one without; both had time in a semester that is over."""
        self.postgres.query("create database portal")
        until = ("--start", "2000-01-01T00:00:00+00:00", "--end", "2100-01-01T00:00:00+00:00")
        for command in (
            ("migrate", "-v0"),
            ("create_user", "-u", "tom", "-p", "tom", "-t", TOKEN),
            ("create_user", "-u", "scheduler", "-p", "s", "-t", ADMIN, "--superuser"),
            ("create_semester", "--id", "2026T", *until),
            ("create_proposal", "--id", PROPOSAL, "--active", "--direct", "--pi", "tom", "--time-allocation", "--title", "With time"),
            ("create_proposal", "--id", POOR, "--active", "--direct", "--pi", "tom", "--time-allocation", "--title", "Without"),
        ):
            program = environment() / "bin" / "django-admin"  # type: ignore[operator] # `missing` has looked
            subprocess.run([program, *command], env=self._environment, check=True, capture_output=True, cwd=self.folder)
        self.postgres.query("update accounts_profile set staff_view = true", "portal")
        self.postgres.query("insert into proposals_semester (id, start, \"end\") values ('1999T', '1999-01-01', '1999-12-31')", "portal")
        columns = ", ".join(_ALLOCATION)
        self.postgres.query(
            f"insert into proposals_timeallocation (semester_id, {columns}) select '1999T', {columns} from proposals_timeallocation",
            "portal",
        )
        spent = "update proposals_timeallocation set std_time_used = std_allocation"
        self.postgres.query(f"{spent} where proposal_id = '{POOR}' and semester_id = '2026T'", "portal")
        self.postgres.query("select setval('requestgroups_request_id_seq', 5000)", "portal")  # ids of requests are not those of groups

    def start(self, throttle: str | None = None) -> None:
        """Start the process, with a throttle of new requests if one is given ('3/min')."""
        program = environment() / "bin" / "gunicorn"  # type: ignore[operator]
        command = [program, "observation_portal.wsgi", "-b", f"127.0.0.1:{self.port}", "-w", "1", "-k", "gthread", "--threads", "8"]
        extra = {"REQUESTGROUPS_CREATE_DEFAULT_THROTTLE": throttle} if throttle else {}
        with open(self.folder / "portal.log", "ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment | extra, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
            )
        _answers(f"{self.url}/api/instruments/")

    def kill(self) -> None:
        """End it as kill -9 does, with all that it was doing."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End everything."""
        self.kill()
        self._configdb.terminate()
        self._configdb.wait()
        self.postgres.stop()

    def api(self, method: str, path: str, data: Any = None) -> Any:
        """JSON of an answer, asked for as the staff of the observatory."""
        headers = {"Authorization": f"Token {ADMIN}"}
        answer = requests.request(method, f"{self.url}{path}", json=data, headers=headers, timeout=30)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def groups(self) -> list[dict[str, Any]]:
        """Every request group that the portal has."""
        found: list[dict[str, Any]] = []
        path: str | None = "/api/requestgroups/?limit=200"
        while path:
            answer = self.api("GET", path)
            found += answer["results"]
            path = answer["next"] and answer["next"].removeprefix(self.url)
        return found

    def schedule(self, request_id: str) -> int:
        """Put a request on the schedule, as the scheduler does; the id of its configuration status."""
        request = self.api("GET", f"/api/requests/{request_id}/")
        (configuration,) = request["configurations"]
        big = configuration["instrument_type"].startswith("2M0")
        site, (dome, telescope), camera = ("coj", ("clma", "2m0a"), "en") if big else ("cpt", ("doma", "1m0a"), "fa")
        start = max(datetime.now(timezone.utc), _time(request["windows"][0]["start"]))
        block = {
            "request": int(request_id),
            "site": site,
            "enclosure": dome,
            "telescope": telescope,
            "start": _iso(start + timedelta(minutes=5)),
            "end": _iso(start + timedelta(minutes=5, seconds=request["duration"])),
            "configuration_statuses": [
                {"configuration": configuration["id"], "instrument_name": f"{camera}-{site}", "guide_camera_name": f"ef-{site}"}
            ],
        }
        self.api("POST", "/api/observations/", block)
        blocks = self.api("GET", f"/api/requests/{request_id}/observations/")
        number: int = max(blocks, key=lambda one: int(one["id"]))["configuration_statuses"][0]["id"]
        return number

    def observe(self, status: int, state: str = "COMPLETED", reason: str = "") -> None:
        """End a scheduled block, as the telescope does: COMPLETED, FAILED or ABORTED."""
        now = datetime.now(timezone.utc)
        seconds = 120 if state == "COMPLETED" else 0
        summary = {"start": _iso(now), "end": _iso(now + timedelta(minutes=2)), "state": state, "reason": reason}
        body = {"state": state, "summary": summary | {"time_completed": seconds, "events": []}}
        self.api("PATCH", f"/api/configurationstatus/{status}/", body)


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


def _answers(url: str) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with suppress(requests.ConnectionError):
            requests.get(url, timeout=_PATIENCE)
            return
        time.sleep(0.05)
    raise TimeoutError(f"{url} does not answer")


def _iso(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
