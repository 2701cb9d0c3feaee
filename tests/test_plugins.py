"""One loader for every kind of plug-in, and the contract that every plug-in found keeps: it loads, and has its one public name."""

import pytest

from broker_adapters import plugins

KINDS = {
    "broker_adapters.surveys": "read",
    "broker_adapters.brokers": "Client",
    "followup.terms": "term",
    "followup.facilities": "payload",
}


@pytest.mark.parametrize(("package", "name"), [(p, n) for p in KINDS for n in plugins.names(p)])
def test_every_plugin_has_its_name_and_says_what_it_is(package, name):
    module = plugins.load(package, name)
    assert callable(getattr(module, KINDS[package]))
    assert (module.__doc__ or "").strip()


@pytest.mark.parametrize("package", KINDS)
def test_every_kind_has_plugins(package):
    assert plugins.names(package)


@pytest.mark.parametrize("name", ["none_such", "no.such.module", "tests.test_plugins.none"])
def test_an_unknown_name_is_an_error_that_lists_the_known(name):
    with pytest.raises(LookupError, match="ztf"):
        plugins.load("broker_adapters.surveys", name)


def test_a_dotted_name_is_the_module_of_a_third_party():
    assert plugins.load("followup.terms", "tests.test_plugins").KINDS is not None
