"""The demo TOM that tutorials and pictures are made on: filled anew for each build, served on this machine alone while it lasts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Sources on the sky of the demo, and seconds that its server may take to answer.
SOURCES, PATIENCE = 30, 60.0

#: Prints what opens the TOM: a token for programs, and a session for a browser.
_KEYS = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.authtoken.models import Token
user = get_user_model().objects.get(username="demo")
browser = Client()
browser.force_login(user)
print(json.dumps({"token": Token.objects.get_or_create(user=user)[0].key, "session": browser.cookies["sessionid"].value}))
"""


@dataclass(frozen=True, slots=True)
class Tom:
    """A TOM that answers at ``url``."""

    url: str
    token: str
    session: str
    server: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End its server."""
        self.server.terminate()
        self.server.wait(30)


def start(folder: Path) -> Tom:
    """Fill a TOM in a folder of its own, and serve it; RuntimeError, with what was printed, where that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "TOM_ALERCE_DEMO_DATA": str(folder), "DEBUG": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("TOM_ALERCE_POSTGRESQL", None)
    _manage(environment, "alerce_demo", "--sources", str(SOURCES))
    keys = json.loads(_manage(environment, "shell", "--no-imports", "-c", _KEYS).splitlines()[-1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "demo/manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait(server, port)
    return Tom(f"http://127.0.0.1:{port}", keys["token"], keys["session"], server)


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "demo/manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"manage.py {arguments[0]} has failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server of the demo TOM does not answer")
