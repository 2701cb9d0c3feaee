"""One loader for every kind of plug-in; what each kind must do is tested in ``tests/contracts``."""

import pytest

from broker_adapters import plugins

KINDS = {
    "broker_adapters.surveys": "read",
    "broker_adapters.brokers": "Client",
    "followup.terms": "term",
    "followup.vetoes": "veto",
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


def test_third_parties_modules_are_used_until_the_next_call_says_otherwise():
    package = "broker_adapters.surveys"
    own = plugins.names(package)
    before = plugins.every(package)
    try:
        plugins.use(package, ["ztf", "their.winter", "their.comet", "their.winter"])
        assert plugins.every(package) == (*own, "their.comet", "their.winter")
        plugins.use(package, ["their.winter"])
        assert plugins.every(package) == (*own, "their.winter")
        plugins.use(package, [])
        assert plugins.every(package) == own
    finally:
        plugins.use(package, before)
