"""Surveys: one module for each, found by its file name.

A module has ``SURVEY``, the facts of its survey (`broker_adapters.records.Survey`), and ``recognises`` and ``read`` of
`broker_adapters.plugins.Reader`; that is all that a new survey needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from broker_adapters import plugins
from broker_adapters.records import Survey


def known() -> tuple[Survey, ...]:
    """Records of our own surveys and of the third parties' in use, by precedence and name."""
    return tuple(_records(plugins.every(__name__)).values())


def about(name: str) -> Survey:
    """Record of the survey of that name; one without bands or pages, and with the name in capitals as label, where it is not known."""
    return _records(plugins.every(__name__)).get(name) or _unknown(name)


@lru_cache(maxsize=8)
def _records(modules: tuple[str, ...]) -> Mapping[str, Survey]:
    """Records of the surveys in these modules by name, in the order of `known`."""
    found: list[Survey] = [plugins.load(__name__, module).SURVEY for module in modules]
    return MappingProxyType({survey.name: survey for survey in sorted(found, key=lambda s: (s.precedence, s.name))})


@lru_cache(maxsize=64)
def _unknown(name: str) -> Survey:
    """Neutral record for rows of a survey whose plug-in is gone."""
    return Survey(name="unknown", label=name.upper())
