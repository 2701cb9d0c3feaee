"""Profiles: science cases as data. Those that are shipped are the JSON files of this folder, by the name of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from followup import plugged
from followup.errors import FollowupError
from followup.profiles.records import Budget as Budget
from followup.profiles.records import Cuts as Cuts
from followup.profiles.records import Profile as Profile


@lru_cache
def shipped() -> Mapping[str, Profile]:
    """Name -> profile of those that are shipped: "default" first, the others by name."""
    texts = {file.name[: -len(".json")]: file.read_bytes() for file in files(__name__).iterdir() if file.name.endswith(".json")}
    order = sorted(texts, key=lambda name: (name != "default", name))
    return MappingProxyType({name: Profile.from_json(texts[name]) for name in order})


def problems(profile: Profile, trusted: Iterable[str] = ()) -> Iterator[str]:
    """What keeps a profile from being used, each with its field before it: plug-ins and parameters that there are not.

    A dotted name is imported only if it is among ``trusted``, as those of the TOM's own settings are: a profile may come from a stranger.
    """
    known = set(trusted)
    every: list[tuple[str, str, Callable[[str, Any], Any], Any]]
    every = [("merits", name, plugged.term, options) for name, options in profile.merits.items()]
    every += [("vetoes", name, plugged.veto, options) for name, options in profile.vetoes.items()]
    for where, name, load, options in every:
        if "." in name and name not in known:
            yield f"{where}.{name}: the settings do not name this module"
            continue
        try:
            load(name, options)
        except FollowupError as error:
            yield f"{where}.{name}: {error}"
