"""Children are started again with growing pauses, run every so often, and are gone when their supervisor is, however it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tom_alerce.management import supervisor
from tom_alerce.management.supervisor import Job, supervise
from tom_alerce.pipeline.stream import Stop


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, value in {"LOOK": 0.02, "PAUSE": 0.05, "LONGEST": 0.2}.items():
        monkeypatch.setattr(supervisor, name, value)


def job(name, code, every=None):
    return Job(name, (sys.executable, "-S", "-c", f"import os, signal, sys, time\n{code}"), every)


def noting(path):
    """Code that writes that it has started, and as which process."""
    return f"open({str(path)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"


def pids(path):
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_there(pid):
    try:
        return "\tZ" not in next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("State"))
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(stop, done):
    """A tick that requests the stop once something is so."""
    end = time.monotonic() + 60

    def tick():
        assert time.monotonic() < end
        if done():
            stop()

    return tick


def test_a_child_that_ends_or_is_killed_is_started_again_with_growing_pauses(tmp_path, caplog):
    path, stop = tmp_path / "fails", Stop()
    started = []

    def done():
        if len(pids(path)) > len(started):
            started.append(time.monotonic())
            os.kill(pids(path)[-1], signal.SIGKILL)
        return len(started) == 4

    supervise([job("fails", noting(path) + "time.sleep(60)")], stop, until(stop, done))
    assert len(set(pids(path))) == 4
    assert [record.args[2] for record in caplog.records if "started again" in record.msg] == [0.05, 0.1, 0.2]
    assert "fails: killed by SIGKILL" in caplog.text
    assert not any(map(is_there, pids(path)))


def test_others_run_every_so_often_and_not_all_at_a_time(tmp_path, caplog):
    paths, stop = [tmp_path / name for name in "abc"], Stop()
    jobs = [job(path.name, noting(path) + "time.sleep(0.2)", every=0.5) for path in paths]
    jobs.append(job("odd", "sys.exit(3)", every=1000.0))
    most = []

    def done():
        most.append(sum(is_there(pid) for path in paths for pid in pids(path)))
        return all(len(pids(path)) >= 2 for path in paths) and "odd" in caplog.text

    supervise(jobs, stop, until(stop, done), most=1)
    assert max(most) == 1
    assert "odd: exit code 3" in caplog.text


def test_a_child_that_does_not_end_is_killed(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE", 0.5)
    path, stop = tmp_path / "deaf", Stop()
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + noting(path) + "time.sleep(60)"
    supervise([job("deaf", code)], stop, until(stop, lambda: pids(path)))
    assert "did not end within" in caplog.text
    assert not is_there(pids(path)[0])


def test_a_program_that_is_not_there_is_said(caplog):
    stop = Stop()
    supervise([Job("none", ("/no/such/program",))], stop, until(stop, lambda: len(caplog.records) >= 2))
    assert "none: [Errno 2]" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends the children")
def test_a_supervisor_that_is_killed_takes_its_children_with_it(tmp_path):
    """As `alerce_run` starts them; the child's command is one of Django's that waits."""
    path = tmp_path / "child"
    waits = (
        f"import django.core.management as m, time, os\nm.execute_from_command_line = lambda argv: ({noting(path).strip()}, time.sleep(60))"
    )
    child = f"{waits}\nfrom tom_alerce.management.child import main\nimport sys\nmain(int(sys.argv[1]), [])"
    code = f"import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}, str(os.getpid())])"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    until_there(lambda: pids(path))
    process.kill()
    process.wait()
    until_there(lambda: not is_there(pids(path)[0]))


def test_a_child_of_a_supervisor_that_has_gone_does_nothing():
    done = subprocess.run([sys.executable, "-m", "tom_alerce.management.child", "1", "check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the supervisor 1 has gone\n")


def until_there(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
