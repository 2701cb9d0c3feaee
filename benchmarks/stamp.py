"""Speed of stamp classification from packet bytes to probabilities in two worker processes, by stage, against the plain path.

The plain path uses fastavro, gzip, astropy.io.fits and float32, and decodes the whole history. The packets are real where the folder of
real data lies beside the repository (then ``bf16_argmax_changed`` is of real alerts), otherwise simulated.
"""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import fastavro
import numpy as np
from astropy.io import fits

from broker_adapters.records import Kind, blank
from broker_adapters.surveys import ztf
from classifiers.models.stamp import metadata, storage
from classifiers.models.stamp.ensemble import READS, Ensemble
from classifiers.models.stamp.network import fast_precision, views
from classifiers.models.stamp.preprocess import SIDE, Inputs, from_alerts, from_table
from classifiers.simulate import packets, stamps
from classifiers.taxonomy import STAMP

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev" / "alerts" / "ztf"
#: Packets in all, per batch, and simulated where there are no real ones; workers; the plain path gets one in `PART` of a batch.
PACKETS, BATCH, SIMULATED, WORKERS, PART = 4096, 512, 256, 2, 8


def run() -> dict[str, float]:
    """Rates, stages and precision.

    ``alerts_per_s`` is wall-clock, ``alerts_per_s_float32`` the same without half precision; ``..._free`` and ``network_per_s`` are two
    cores over the processor time of the stages (``us_...``, per alert), as on an idle machine.
    """
    different = _packets()
    many = [different[i % len(different)] for i in range(PACKETS)]
    batches = [many[i : i + BATCH] for i in range(0, PACKETS, BATCH)]
    (fast, exact_rate, plain), stages = _workers(batches)
    inputs = from_alerts([ztf.read(p, history=False) for p in different])
    inputs = inputs.take(inputs.usable)
    exact, half = (_model(precision).predict(inputs) for precision in ("float32", "mixed_bfloat16"))
    first, memory = stages.pop("first_prediction_s"), stages.pop("memory_mb")
    figures = {f"us_{name}": value for name, value in stages.items()}
    float32 = stages.pop("networks_float32")
    return figures | {
        "network_per_s": WORKERS * 1e6 / stages["networks"],
        "alerts_per_s": fast,
        "alerts_per_s_free": WORKERS * 1e6 / sum(stages.values()),
        "alerts_per_s_float32": exact_rate,
        "alerts_per_s_float32_free": WORKERS * 1e6 / (sum(stages.values()) - stages["networks"] + float32),
        "alerts_per_s_plain": plain,
        "ratio_to_plain": fast / plain,
        "first_prediction_s": first,
        "memory_mb": memory,
        "bf16": float(fast_precision() != "float32"),
        "bf16_argmax_changed": float((exact.argmax(axis=1) != half.argmax(axis=1)).mean()),
    }


def _packets() -> list[bytes]:
    """Different packets of alerts with complete stamps."""
    files = sorted(REAL.glob("*.avro")) if REAL.is_dir() else []
    if files:
        found = [f.read_bytes() for f in files]
        usable = from_alerts([ztf.read(p, history=False) for p in found]).usable
        return [p for p, good in zip(found, usable.tolist(), strict=True) if good]
    drawn = stamps.simulate([STAMP[i % len(STAMP)] for i in range(SIMULATED)], np.random.default_rng(0))
    return [_packet(i, image, row) for i, (image, row) in enumerate(zip(drawn.stamps, drawn.metadata, strict=True))]


def _packet(i: int, image: Any, row: dict[str, Any]) -> bytes:
    rows = blank(20)
    rows["survey"], rows["kind"], rows["band"] = "ztf", Kind.ALERT, "r"
    rows["source_id"] = [str(10**18 + 1000 * i + j) for j in range(20)]
    rows["mjd"], rows["flux"], rows["flux_err"], rows["ra"], rows["dec"] = 60000 + np.arange(20), 1e5, 1e4, row["ra"], row["dec"]
    return packets.ztf.write(rows, object_id="ZTF20aaaaaaa", stamps=image, metadata=row)


def _workers(batches: Sequence[list[bytes]]) -> tuple[list[float], dict[str, float]]:
    """Alerts per second of all workers together, fast, in float32 and plain, and the stages of one worker with a core to itself."""
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with ProcessPoolExecutor(1, get_context("spawn")) as one:
        stages = one.submit(_stages, batches[0]).result()
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        for path in (_fast, _exact, _plain):  # every worker warms up
            list(pool.map(path, [batches[0][:BATCH]] * (2 * WORKERS)))
        rates = []
        for path, part in ((_fast, batches), (_exact, batches), (_plain, [b[: BATCH // PART] for b in batches])):
            started = time.perf_counter()
            done = sum(pool.map(path, part))
            rates.append(done / (time.perf_counter() - started))
    return rates, stages


@lru_cache
def _model(precision: str) -> Ensemble:
    model, _, _ = storage.load()
    model.precision = precision
    return model


def _fast(batch: list[bytes], precision: str | None = None) -> int:
    alerts = [ztf.read(p, history=False) for p in batch]
    return len(_model(precision or fast_precision()).predict(from_alerts(alerts)))


def _exact(batch: list[bytes]) -> int:
    return _fast(batch, "float32")


def _plain(batch: list[bytes]) -> int:
    stamps_of, columns = [], []
    for packet in batch:
        record = next(iter(fastavro.reader(BytesIO(packet))))
        images = []
        for name in ("Science", "Template", "Difference"):
            with fits.open(BytesIO(gzip.decompress(record[f"cutout{name}"]["stampData"]))) as file:
                images.append(np.array(file[0].data, np.float32))
        if all(i.shape == (SIDE, SIDE) for i in images):
            stamps_of.append(np.stack(images))
            columns.append(record["candidate"])
    inputs = from_table(np.stack(stamps_of), {name: [c.get(name) for c in columns] for name in columns[0]})
    return len(_model("float32").predict(inputs))


def _stages(batch: list[bytes]) -> dict[str, float]:
    """Processor time per alert of each stage in microseconds, warm, and seconds to the first prediction of a new process."""
    started = time.perf_counter()
    _fast(batch[:1])
    first = time.perf_counter() - started
    model = _model(fast_precision())
    _fast(batch)

    def timed(work: Callable[[], Any]) -> tuple[float, Any]:
        times = []
        for _ in range(5):
            begin = time.process_time()
            result = work()
            times.append(time.process_time() - begin)
        return min(times) / len(batch) * 1e6, result

    packet, alerts = timed(lambda: [ztf.read(p, history=False) for p in batch])
    decode, inputs = timed(lambda: from_alerts(alerts))
    whole = replace(inputs, stamps=np.nan_to_num(inputs.stamps))
    scale, shown = timed(lambda: views(whole.stamps))
    numbers, _ = timed(lambda: _forests(model, whole))
    look, _ = timed(lambda: model.network_probabilities(*shown))
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    exact = _model("float32")
    exact.network_probabilities(*shown)
    slow, _ = timed(lambda: exact.network_probabilities(*shown))
    return {
        "packet": packet,
        "stamps": decode,
        "views": scale,
        "metadata": numbers,
        "networks": look,
        "networks_float32": slow,
        "first_prediction_s": first,
        "memory_mb": memory,
    }


def _forests(model: Ensemble, inputs: Inputs) -> list[Any]:
    return [model.forests[name].probabilities(metadata.features(inputs.metadata, columns)) for name, columns in READS.items()]
