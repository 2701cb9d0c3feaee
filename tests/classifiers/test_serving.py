"""Serving loads neither training nor the simulator, nor what only these need."""

import subprocess
import sys

#: Packages that a process which only classifies never needs; TensorFlow is needed at the first stamp, not at import.
ABSENT = (
    *("classifiers.training.metrics", "classifiers.simulate.stamps", "classifiers.simulate.surveys"),
    *("classifiers.models.stamp.training.data", "classifiers.models.lightcurve.training.data"),
    *("imblearn", "matplotlib", "pandas", "pyarrow", "sklearn", "tensorflow", "keras"),
)

CODE = f"""
import sys
from importlib import import_module
from pkgutil import walk_packages
import classifiers
for module in walk_packages(classifiers.__path__, "classifiers."):
    if not set(module.name.split(".")) & set(("training", "simulate", "__main__")):
        import_module(module.name)
MORE
print(sorted(set({ABSENT}) & set(sys.modules)))
"""


def loaded(more: str) -> str:
    """What a new process has loaded of `ABSENT` after it has imported everything that serves, and done something more."""
    command = [sys.executable, "-c", CODE.replace("MORE", more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_importing_all_that_serves_loads_no_training_and_no_tensorflow():
    assert loaded("") == "[]"


def test_classifying_a_light_curve_loads_no_training_and_no_tensorflow():
    more = """
from broker_adapters.records import Kind, SkyObject, blank
from classifiers.models.lightcurve import Model
rows = blank(8)
rows["survey"], rows["band"], rows["kind"], rows["mjd"] = "ztf", ["g", "r"] * 4, Kind.ALERT, [60000.0 + i for i in range(8)]
rows["flux"], rows["flux_err"] = [1e4, 2e4, 3e4, 4e4, 5e4, 4e4, 3e4, 2e4], 1e3
assert Model().predict([SkyObject(10.0, 20.0, 0.1, rows)]).labels[0]
"""
    assert loaded(more) == "[]"
