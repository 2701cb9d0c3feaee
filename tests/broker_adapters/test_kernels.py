"""Compiled functions: kept on disk where that is possible, announced, and the same whatever is called first."""

import logging
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import classifiers
from broker_adapters import kernels


def without_a_file(name):
    """A function that numba cannot cache, since it is in no file."""
    found = {}
    exec(f"def {name}(x):\n    return 2 * x + 1", found)
    return found[name]


def test_a_function_that_cannot_be_kept_is_compiled_with_one_warning(caplog):
    kernels._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        first, second = (kernels.compiled()(without_a_file(name)) for name in ("first", "second"))
    assert (first(1.0), second(2.0)) == (3.0, 5.0)
    assert [record.getMessage().count("NUMBA_CACHE_DIR") for record in caplog.records] == [1]


def test_compiling_is_announced_once_and_counted(caplog):
    first, second = (kernels.compiled()(without_a_file(name)) for name in ("first", "second"))
    caplog.clear()  # there is no folder to keep them in, which the first test that runs is told
    with caplog.at_level(logging.INFO), kernels.announced("compiling") as compiled:
        assert first(np.float64(1.0)) + second(np.float64(1.0)) == 6.0
    with kernels.announced("compiling again") as again:
        first(np.float64(2.0))
    assert compiled.count == 2
    assert again.count == 0
    assert caplog.records[0].getMessage() == "compiling"
    assert "compiling again" not in caplog.text


def compiled_functions():
    """Name -> compiled function, of all modules that serve."""
    found = {}
    for module in pkgutil.walk_packages(classifiers.__path__, "classifiers."):
        if not {"training", "simulate", "__main__"} & set(module.name.split(".")):
            for value in vars(import_module(module.name)).values():
                if isinstance(value, Dispatcher):
                    found[f"{value.py_func.__module__}.{value.py_func.__name__}"] = value
    return found


@pytest.mark.parametrize("name", sorted(name for name, f in compiled_functions().items() if f.targetoptions.get("fastmath")))
def test_what_a_fastmath_function_calls_names_its_own_so_that_the_first_caller_does_not_decide(name):
    function = compiled_functions()[name].py_func
    called = [function.__globals__.get(n) for n in function.__code__.co_names]
    for callee in (c for c in called if isinstance(c, Dispatcher) and c.targetoptions.get("inline") != "always"):
        assert "fastmath" in callee.targetoptions, callee.py_func.__name__
