"""A line of the log is one JSON object, with its batch and without the secrets of the settings."""

from __future__ import annotations

import json
import logging

import pytest

from tom_alerce import logs

TOKEN = "t0ps3cret-of-ours"


@pytest.fixture
def lines():
    """A logger, and the objects of its lines so far."""
    written = []

    class Handler(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    handler = Handler()
    handler.setFormatter(logs.JsonFormatter())
    logger = logging.getLogger("tom_alerce.of_the_test")
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


def test_a_line_has_the_batch_in_which_it_was_written(lines):
    logger, written = lines
    with logs.in_batch(name := logs.new_batch()):
        logger.warning("%d packets\nand a second line", 3)
    logger.warning("after it")
    first, second = map(json.loads, written)
    assert (first["message"], first["level"], first["batch"]) == ("3 packets\nand a second line", "WARNING", name)
    assert first["time"].endswith("+00:00")
    assert "batch" not in second
    assert not any("\n" in line for line in written)


def test_no_secret_of_the_settings_is_written(lines, settings):
    logger, written = lines
    settings.TOM_ALERCE = {
        "BROKERS": {"lasair": {"ztf_token": TOKEN}},
        "STREAMS": {"night": {"config": {"sasl.password": "of-the-stream", "sasl.username": "us"}}},
    }
    settings.FACILITIES = {"LCO": {"api_key": "of-the-portal"}}
    try:
        raise RuntimeError(f"Token {TOKEN}")
    except RuntimeError:
        logger.exception("refused: of-the-stream, of-the-portal, us, %s", settings.SECRET_KEY)
    [line] = written
    assert all(secret not in line for secret in (TOKEN, "of-the-stream", "of-the-portal", settings.SECRET_KEY))
    assert "RuntimeError" in json.loads(line)["traceback"]
    assert ", us," in line
