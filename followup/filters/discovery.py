"""The fields that filters may use: those of every file in ``followup/filters/fields``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from broker_adapters import plugins
from followup.filters.records import Field

PACKAGE = "followup.filters.fields"


@lru_cache
def families() -> Mapping[str, Mapping[str, Field]]:
    """File -> name -> field, in the order of the files."""
    return MappingProxyType({name: MappingProxyType(dict(plugins.load(PACKAGE, name).FIELDS)) for name in plugins.names(PACKAGE)})


@lru_cache
def known() -> Mapping[str, Field]:
    """Name -> field."""
    return MappingProxyType({name: one for own in families().values() for name, one in own.items()})
