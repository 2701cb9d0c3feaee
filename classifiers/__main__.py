"""``python -m classifiers train|evaluate|predict|drift KIND --data DIR``: the classifiers without Django.

KIND is a package in ``classifiers.models`` whose ``training`` package has an ``evaluation`` module (stamp, lightcurve), or the posterior,
which is none of the classifiers but learns from the same folders. That module provides
``train.train(data, out, seed, **options)``, ``evaluation.evaluate(data, **options)``, ``evaluation.predict(data, **options)`` and, if it
can, ``drift.drift(data, **options)``, each of which returns a dict, and may declare options in ``add_arguments(parser, verb)``. With
``--json`` the last line printed is one JSON object.

``import-checkpoint PATH`` keeps a copy of a stamp network that ALeRCE published. ``compile`` compiles, once on a machine, the functions
that workers call.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from broker_adapters import plugins
from broker_adapters.records import blank
from classifiers.records import WEIGHTS_ROOT, ClassifierError
from classifiers.training.metrics import table

#: Verb -> (module of the kind, what the verb does). The function has the name of the verb.
VERBS = {
    "train": ("train", "train anew and write the weights with their model card"),
    "evaluate": ("evaluation", "evaluate the predictions for labelled objects"),
    "predict": ("evaluation", "classify every object"),
    "drift": ("drift", "measure the drift of alerts from the training set"),
}


def kinds() -> tuple[str, ...]:
    """What this command trains: the classifiers with an evaluation, and the posterior."""
    return (*(name for name in plugins.names("classifiers.models") if _has(name, "evaluation")), "posterior")


def _module(kind: str, module: str) -> str:
    """Name of a module in the ``training`` package of a kind."""
    return f"classifiers.{kind if kind == 'posterior' else f'models.{kind}'}.training.{module}"


def _has(kind: str, module: str) -> bool:
    """Whether a kind has this module in its ``training`` package."""
    try:
        return find_spec(_module(kind, module)) is not None
    except ModuleNotFoundError:
        return False


def parser() -> argparse.ArgumentParser:
    """Command line; only the modules that declare options are imported."""
    top = argparse.ArgumentParser(prog="python -m classifiers", description=(__doc__ or "").splitlines()[0])
    verbs = top.add_subparsers(dest="verb", required=True)
    for verb, (module, text) in VERBS.items():
        by_kind = verbs.add_parser(verb, help=text).add_subparsers(dest="kind", required=True)
        for kind in (k for k in kinds() if _has(k, module)):
            sub = by_kind.add_parser(kind)
            sub.add_argument("--data", type=Path, required=True, metavar="DIR")
            sub.add_argument("--json", action="store_true", help="print one JSON object as the last line")
            if verb == "train":
                sub.add_argument("--out", type=Path, default=WEIGHTS_ROOT / kind, metavar="DIR")
                sub.add_argument("--seed", type=int, default=0)
            declare = getattr(import_module(_module(kind, module)), "add_arguments", None)
            if declare is not None:
                declare(sub, verb)
    copy = verbs.add_parser("import-checkpoint", help="keep a copy of a stamp network that ALeRCE published, to serve as a classifier")
    copy.add_argument("path", type=Path)
    copy.add_argument(
        "--folder", type=Path, metavar="DIR", help="destination; by default the folder of classifiers.models.stamp.checkpoints"
    )
    copy.add_argument("--json", action="store_true")
    compiling = verbs.add_parser("compile", help="compile the functions that workers call, once after an installation")
    compiling.add_argument("--json", action="store_true")
    return top


def run(options: dict[str, Any]) -> dict[str, Any]:
    """Run the parsed command."""
    verb = options.pop("verb")
    if verb == "import-checkpoint":
        imported: dict[str, Any] = import_module("classifiers.models.stamp.checkpoints").import_checkpoint(**options)
        return imported
    if verb == "compile":
        return compile_functions()
    if not options["data"].is_dir():
        raise ClassifierError(f"{options['data']} is not a folder")
    kind = options.pop("kind")
    started = time.perf_counter()
    function = getattr(import_module(_module(kind, VERBS[verb][0])), verb)
    result: dict[str, Any] = function(**options)
    return result | {"seconds": round(time.perf_counter() - started, 3)}


def compile_functions() -> dict[str, Any]:
    """Compile what is not cached: functions of the light-curve classifier and of the posterior, and those that skip fields of packets."""
    from broker_adapters.kernels import announced
    from broker_adapters.surveys import ztf
    from classifiers.models.lightcurve import compilation, hierarchy
    from classifiers.posterior import infer
    from classifiers.simulate.packets import ztf as packets

    started, rows = time.perf_counter(), blank(2)
    rows["survey"], rows["band"], rows["source_id"], rows["mjd"], rows["flux"] = "ztf", "g", ["1", "2"], [60000.0, 60001.0], 1e4
    rows["flux_err"], rows["ra"], rows["dec"] = 1e3, 10.0, 20.0
    with announced("compiling the functions that read packets") as compiled:
        ztf.read(packets.write(rows, object_id="ZTF23aaaaaaa"), history=False)
        infer([rows])
    count = compiled.count + compilation.prepare(hierarchy.load(hierarchy.SHIPPED)[0])
    return {"compiled": count, "seconds": round(time.perf_counter() - started, 3)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    options = vars(parser().parse_args(arguments))
    as_json = options.pop("json")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        result = run(options)
    except ClassifierError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(result, allow_nan=False))
    elif "confusion" in result:
        print(table(result))
    else:
        print(json.dumps(result, indent=2, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
