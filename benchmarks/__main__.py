"""``python -m benchmarks NAME [--json]``: run one benchmark, a module of this folder, or all of them."""

from __future__ import annotations

import argparse
import json
from importlib import import_module

from broker_adapters.plugins import names


def main() -> None:
    """Print a table or, last line with ``--json``, one JSON object."""
    known = [name for name in names("benchmarks") if name != "__main__"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*known, []], metavar="NAME", help=", ".join(known))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    chosen = arguments.name or known
    results = {name: import_module(f"benchmarks.{name}").run() for name in chosen}
    if arguments.json:
        print(json.dumps(results[chosen[0]] if len(chosen) == 1 else results))
        return
    for name, figures in results.items():
        for figure, value in figures.items():
            print(f"{name:12} {figure:24} {value:14.6g}")


if __name__ == "__main__":
    main()
