"""Startup of a worker: seconds and memory of importing the light-curve classifier, and of a first classification by both classifiers.

Each figure is the median of `RUNS` new processes, after one that fills the file cache and compiles what is not cached. Seconds count from
the first line of Python, memory is the peak resident set. For comparison the same run imports the training of the light-curve classifier,
which serving does not load, and TensorFlow, which only workers load.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from broker_adapters.records import Kind, blank
from classifiers.simulate import stamps
from classifiers.simulate.packets import ztf as packets

#: Measured processes of each kind.
RUNS = 5

#: Name -> code whose time is measured; `PACKET` is the path of an alert packet.
DOES = {
    "lightcurve_import": "import classifiers.models.lightcurve",
    "training_import": "import classifiers.models.lightcurve.training.train",
    "tensorflow_import": "from classifiers.keras_loader import keras; keras()",
    "worker": """
from broker_adapters.records import SkyObject
from broker_adapters.surveys import ztf
from classifiers.models import lightcurve, stamp
models = [lightcurve.Model(), stamp.Model()]
alert = ztf.read(open(PACKET, "rb").read())
answers = [m.predict([SkyObject(alert.ra, alert.dec, 0.1, alert.detections, (alert,))]) for m in models]
assert all(answer.labels[0] for answer in answers)
""",
}

FRAME = """
import sys, time
began, PACKET = time.perf_counter(), sys.argv[1]
{does}
seconds = time.perf_counter() - began
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak.split()[1]) / 1024)
"""


def run() -> dict[str, float]:
    """Seconds and MB of each kind of process, and the ratios of the other imports to ours."""
    with TemporaryDirectory() as folder:
        packet = Path(folder) / "alert.avro"
        packet.write_bytes(_packet())
        found = {name: measure(does, packet) for name, does in DOES.items()}
    seconds, megabytes = ({name: values[i] for name, values in found.items()} for i in (0, 1))
    return {
        "lightcurve_import_s": seconds["lightcurve_import"],
        "lightcurve_import_mb": megabytes["lightcurve_import"],
        "worker_ready_s": seconds["worker"],
        "worker_mb": megabytes["worker"],
        "training_import_s": seconds["training_import"],
        "training_import_mb": megabytes["training_import"],
        "tensorflow_import_s": seconds["tensorflow_import"],
        "tensorflow_import_mb": megabytes["tensorflow_import"],
        "training_over_ours": seconds["training_import"] / seconds["lightcurve_import"],
        "tensorflow_over_ours": seconds["tensorflow_import"] / seconds["lightcurve_import"],
    }


def measure(does: str, packet: Path, runs: int = RUNS) -> tuple[float, float]:
    """Median seconds and peak MB of some new processes."""
    command = [sys.executable, "-c", FRAME.format(does=does), str(packet)]
    printed = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-2:] for _ in range(runs + 1)]
    seconds, megabytes = zip(*([float(x) for x in line] for line in printed[1:]), strict=True)
    return median(seconds), median(megabytes)


def _packet() -> bytes:
    """A ZTF packet of a rising transient: 20 detections in two bands, with stamps."""
    drawn = stamps.simulate(["SN"], np.random.default_rng(0))
    rows, row = blank(20), drawn.metadata[0]
    rows["survey"], rows["kind"], rows["band"] = "ztf", Kind.ALERT, ["g", "r"] * 10
    rows["source_id"] = [str(10**18 + i) for i in range(20)]
    rows["mjd"], rows["flux"], rows["flux_err"] = 60000 + np.arange(20), 1e4 * np.arange(1, 21), 2e3
    rows["ra"], rows["dec"] = row["ra"], row["dec"]
    return packets.write(rows, object_id="ZTF23aaaaaaa", stamps=np.nan_to_num(drawn.stamps[0]), metadata=row)
