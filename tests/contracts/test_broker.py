"""What every broker's module must do: ours, as they are found, and a third party's under a dotted name.

A new broker is tested by its file and ``tests/data/brokers/<name>.json`` (a third party's: ``data`` beside its module), which has

- ``options``: arguments of its ``Client``, in which ``{server}`` is a server on this machine, ``{token}`` a token of the test, and
  ``{here}`` the folder of the file;
- ``answers``: address -> JSON that this server answers with;
- ``objects``: (survey, object id) of each object there is, and ``alerts``: what must come out (see `tests.contracts.golden`);
- ``rejected``: number of objects of a search that cannot be read (0 unless given);
- ``messages``: of a broker that sends some, JSON messages, and ``read``: the alerts in them.
"""

from __future__ import annotations

import inspect
import json
from contextlib import suppress

import pytest

from broker_adapters import packets, plugins, surveys
from broker_adapters.errors import AdapterError, PacketError
from broker_adapters.records import OBJECT_ID_WIDTH, SOURCE_ID_WIDTH, Alert, BrokerLabel, Kind, Query
from tests.contracts import golden

PACKAGE = "broker_adapters.brokers"
THEIRS = "tests.contracts.third_party.relay"
NAMES = (*plugins.names(PACKAGE), THEIRS)


@pytest.fixture(autouse=True)
def _in_use():
    before = plugins.every(PACKAGE)
    plugins.use(PACKAGE, [THEIRS])
    yield
    plugins.use(PACKAGE, before)


def path(name):
    return (golden.THEIRS if "." in name else golden.DATA / "brokers") / f"{name.rpartition('.')[2]}.json"


def about(name):
    """The golden input of a broker."""
    return json.loads(path(name).read_text())


@pytest.fixture
def client(httpserver, request):
    """Makes the client of a broker whose server answers as its golden input says, or each time with ``instead``."""

    def made(name, instead=None):
        httpserver.clear()
        case = about(name)
        for address, answer in case["answers"].items():
            body = json.dumps(answer) if instead is None else instead
            httpserver.expect_request(address).respond_with_data(body, content_type="application/json")
        values = {"{server}": httpserver.url_for("").rstrip("/"), "{token}": request.node.name, "{here}": str(path(name).parent)}
        options = case["options"]
        for key, value in values.items():
            options = {k: v.replace(key, value) if isinstance(v, str) else v for k, v in options.items()}
        return plugins.load(PACKAGE, name).Client(**options)

    return made


def asked(case):
    """Survey -> its object ids."""
    return {survey: [i for s, i in case["objects"] if s == survey] for survey, _ in case["objects"]}


@pytest.mark.parametrize("name", NAMES)
def test_it_has_golden_input_and_a_client_whose_arguments_have_defaults(name):
    assert path(name).exists(), f"put answers of {name} and what is in them into {path(name)}"
    module = plugins.load(PACKAGE, name)
    assert (module.__doc__ or "").strip()
    assert all(p.default is not p.empty for p in inspect.signature(module.Client).parameters.values())


@pytest.mark.parametrize("name", NAMES)
def test_its_surveys_are_known_and_cover_its_objects(name, client):
    made = client(name)
    assert set(asked(about(name))) <= set(made.surveys) <= {survey.name for survey in surveys.known()}
    assert list(made.rejected) == []


@pytest.mark.parametrize("name", NAMES)
def test_golden_objects_are_fetched_by_their_ids(name, client):
    case = about(name)
    found = [alert for survey, ids in asked(case).items() for alert in client(name).fetch(survey, ids)]
    assert len(found) == len(case["objects"]) == len(case.get("alerts", []))
    for alert, expected in zip(found, case.get("alerts", []), strict=True):
        golden.matches(alert, expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_search_lists_the_same_objects_at_most_as_many_as_asked_for(name, client):
    case, made = about(name), client(name)
    for survey, ids in asked(case).items():
        found = list(made.search(Query(survey, limit=10)))
        assert [alert.object_id for alert in found] == ids
        assert len(made.rejected) == case.get("rejected", 0)
        assert len(list(made.search(Query(survey, limit=1)))) == 1
    if not made.surveys:
        assert list(made.search(Query())) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_alerts_keep_the_conventions(name, client):
    case = about(name)
    for survey, ids in asked(case).items():
        for alert in client(name).fetch(survey, ids):
            facts, rows = surveys.about(alert.survey), alert.detections
            assert isinstance(alert, Alert)
            assert set(rows["survey"].tolist()) == {facts.name} == {survey}
            assert set(rows["band"].tolist()) <= {band.name for band in facts.bands}
            assert facts.object_id_of(f"{facts.label} {alert.object_id}") == alert.object_id
            assert len(alert.object_id) <= OBJECT_ID_WIDTH
            assert max(map(len, rows["source_id"].tolist())) <= SOURCE_ID_WIDTH
            assert not rows.flags.writeable
            assert (rows["flux_err"] > 0).all()
            assert (rows["flux"][rows["kind"] == Kind.LIMIT] != rows["flux"][rows["kind"] == Kind.LIMIT]).all()
            assert all(isinstance(label, BrokerLabel) and label.label for label in alert.labels)


@pytest.mark.parametrize("name", [name for name in NAMES if about(name)["answers"]])
@pytest.mark.parametrize("junk", ["{}", "[]", "null", "17", '"x"', "no JSON", '[{"oid": {}}]', '{"error": "busy"}'])
def test_answers_that_make_no_sense_are_errors_of_ours_or_rejected_objects(name, junk, client):
    made, case = client(name, junk), about(name)
    for survey, ids in asked(case).items():
        for ask in (lambda survey=survey, ids=ids: made.fetch(survey, ids), lambda survey=survey: made.search(Query(survey))):
            with suppress(AdapterError):
                assert list(ask()) == []


@pytest.mark.parametrize("name", [name for name in NAMES if "messages" in about(name)])
def test_its_messages_are_read_by_the_one_reader(name):
    case = about(name)
    for message, expected in zip(case["messages"], case["read"], strict=True):
        data = json.dumps(message).encode()
        assert plugins.load(PACKAGE, name).recognises(data)
        golden.matches(packets.read(data), expected)
        for size in range(1, len(data) - 1, 7):
            with pytest.raises(PacketError):
                packets.read(data[:size])


@pytest.mark.parametrize("name", NAMES)
def test_who_reads_messages_has_golden_ones(name):
    assert hasattr(plugins.load(PACKAGE, name), "recognises") == ("messages" in about(name))
