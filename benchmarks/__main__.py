"""``python -m benchmarks NAME [--json]``: run one benchmark, a module of this folder, or all of them.

A module has ``run(**options)``, which returns its figures, and may declare options of its own in ``add_arguments(parser)``.
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from typing import Any

from broker_adapters.plugins import names


def main() -> None:
    """Print a table or, last line with ``--json``, one JSON object."""
    known = [name for name in names("benchmarks") if name != "__main__"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", nargs="*", choices=[*known, []], metavar="NAME", help=", ".join(known))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_known_args()[0].name or known
    modules = {name: import_module(f"benchmarks.{name}") for name in chosen}
    if len(chosen) == 1 and hasattr(modules[chosen[0]], "add_arguments"):
        modules[chosen[0]].add_arguments(parser)
    options = vars(parser.parse_args())
    as_json = options.pop("json")
    del options["name"]
    results = {name: module.run(**options) for name, module in modules.items()}
    if as_json:
        print(json.dumps(results[chosen[0]] if len(chosen) == 1 else results))
        return
    for name, figures in results.items():
        _show(name, figures)


def _show(name: str, figures: dict[str, Any], prefix: str = "") -> None:
    """Print figures, those of a table within under the names that lead to them."""
    for figure, value in figures.items():
        if isinstance(value, dict):
            _show(name, value, f"{prefix}{figure}.")
        else:
            print(f"{name:12} {prefix + figure:40} {value if isinstance(value, str) or value is None else format(value, '14.6g')}")


if __name__ == "__main__":
    main()
