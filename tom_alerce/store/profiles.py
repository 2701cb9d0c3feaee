"""Stores versions of profiles, and says which one of each name is in use; those that are shipped need no row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from followup import profiles
from followup.plan import camera, load_facility, plan
from followup.profiles import Profile
from followup.records import FollowupError
from tom_alerce import conf, models
from tom_alerce.store import keep_rules, rules
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write

#: Bytes of the text of a profile at most.
LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a profile: its number, who made it when, and whether it is in use; the shipped one has no author and no time."""

    number: int
    by: str
    created: datetime | None
    active: bool


def every() -> dict[str, Profile]:
    """Profiles in use by name, "default" first; a stored one that cannot be read any more is left out, so that the shipped one stands."""
    found = dict(_shipped())
    for row in models.Profile.objects.filter(active=True):
        try:
            found[row.name] = row.profile
        except FollowupError:
            continue
    return {name: found[name] for name in sorted(found, key=lambda name: (name != "default", found[name].title.lower(), name))}


def title(name: str, body: str | None) -> str:
    """Title of a profile, of which ``body`` is the version in use (None: the shipped one); its name where there is no title."""
    try:
        found = profiles.Profile.from_json(body) if body else _shipped().get(name)
    except FollowupError:
        found = _shipped().get(name)
    return found.title if found else name


def current(name: str) -> Profile:
    """The profile of this name that is in use; StoreError without one."""
    try:
        return every()[name]
    except KeyError as error:
        raise StoreError(f"there is no profile {name!r}") from error


def version(name: str, number: int) -> Profile:
    """One version of a profile; StoreError without it, FollowupError if it cannot be read any more."""
    shipped = _shipped().get(name)
    if shipped is not None and shipped.version == number:
        return shipped
    row = models.Profile.objects.filter(name=name, version=number).first()
    if row is None:
        raise StoreError(f"profile {name!r} has no version {number}")
    return row.profile


def versions(name: str) -> list[Version]:
    """Versions of a profile, latest first, the shipped one last; none for an unknown name."""
    rows = list(models.Profile.objects.filter(name=name).select_related("author").order_by("-version"))
    stored = [Version(r.version, r.author.get_username() if r.author else "a former user", r.created, r.active) for r in rows]
    shipped = _shipped().get(name)
    if shipped is None:
        return stored
    return [*stored, Version(shipped.version, "", None, not any(one.active for one in stored))]


def save(profile: Profile, author: Any) -> Profile:
    """Store a profile as the next version of its name, and use it; return it with its number.

    Raises
    ------
    StoreError
        It names what there is not, or is too large: the message names the field.
    """
    check(profile)
    with transaction.atomic():
        begin_write()
        last = models.Profile.objects.filter(name=profile.name).aggregate(last=Max("version"))["last"] or 0
        shipped = _shipped().get(profile.name)
        made = replace(profile, version=max(last, shipped.version if shipped else 0) + 1)
        models.Profile.objects.filter(name=profile.name, active=True).update(active=False)
        models.Profile.objects.create(name=made.name, version=made.version, body=made.to_json(), author=author, active=True)
    return made


def use(name: str, number: int) -> Profile:
    """Use another version of a profile, or the shipped one; StoreError without it, FollowupError if it cannot be read any more."""
    chosen = version(name, number)
    check(chosen)
    with transaction.atomic():
        begin_write()
        models.Profile.objects.filter(name=name, active=True).update(active=False)
        models.Profile.objects.filter(name=name, version=number).update(active=True)
    return chosen


def retire(name: str) -> None:
    """Use no stored version of a profile: the shipped one stands, or none; the versions are kept."""
    if not models.Profile.objects.filter(name=name, active=True).update(active=False):
        raise StoreError(f"no stored version of profile {name!r} is in use")


def check(profile: Profile) -> None:
    """Raise a StoreError for a profile that cannot be used here."""
    problems = [*profiles.problems(profile, trusted()), *_facility(profile)]
    problems += [f"promotion[{i}]: {why}" for i, rule in enumerate(profile.promotion or ()) for why in rules.problems(rule)]
    problems += [f"keep[{i}]: {why}" for i, rule in enumerate(profile.keep or ()) for why in keep_rules.problems(rule)]
    text = profile.to_json()
    if sanitize_text(text) != text:
        problems.append("profile: a text in it is no Unicode")
    elif len(text.encode()) > LARGEST:
        problems.append(f"profile: larger than {LARGEST} bytes")
    if problems:
        raise StoreError("; ".join(problems[:5]))


def kept() -> Sequence[Mapping[str, Any]]:
    """The keep rules in force: those of the settings, and of the profiles that the settings rank by; () keeps everything.

    Everything is kept if the settings have no rules, and one of the profiles has none of its own either.
    """
    own, found = list(conf.get("KEEP")), every()
    wanted = [found[name].keep for name in conf.get("PROFILES") if name in found]
    if not own and (None in wanted or not wanted):
        return ()
    rules = [*own, *(rule for some in wanted for rule in some or ())]
    return tuple(rule for i, rule in enumerate(rules) if rule not in rules[:i])


def read(text: bytes) -> Profile:
    """The profile in a file; StoreError, with the field, for anything that is none or cannot be used here."""
    if len(text) > LARGEST:
        raise StoreError(f"profile: larger than {LARGEST} bytes")
    try:
        profile = Profile.from_json(text)
    except FollowupError as error:
        raise StoreError(str(error)) from error
    check(profile)
    return profile


def _facility(profile: Profile) -> Iterator[str]:
    """What is wrong with the facility of a profile, and with the options that are for it."""
    own = conf.get("FACILITY").get("name", "lco")
    given = dict(profile.facility)
    name = given.pop("name", own)
    if not isinstance(name, str) or ("." in name and name not in (own, *conf.get("FACILITIES"))):
        yield f"facility.name: the settings name no facility {str(name)[:60]!r}"
        return
    try:
        payload = load_facility(name).payload
        known = conf.options(payload) | conf.options(plan)
        if unknown := sorted(set(given) - set(known)):
            yield f"facility: no option {', '.join(unknown)[:60]}; {name} has: {', '.join(known)}"
        for key in given.keys() & known.keys():
            if not _alike(given[key], known[key]):
                yield f"facility.{key}: a value like {known[key]!r} is needed"
                return
        camera(name, given.get("instrument", ""), given.get("filters", ()))
    except FollowupError as error:
        yield f"facility: {error}"


def _alike(value: Any, default: Any) -> bool:
    """Whether a value may stand for a default: a number for a number, else of its type; lists are lists of texts."""
    if isinstance(default, (list, tuple)):
        return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    return isinstance(value, type(default))


def trusted() -> Sequence[str]:
    """Dotted modules that the settings of this TOM name as terms; a profile may name no other."""
    return tuple(name for name in conf.get("TERMS") or () if "." in name)


def _shipped() -> Mapping[str, Profile]:
    """The shipped profiles; "default" has the terms of the settings, where they give any."""
    shipped, terms = profiles.shipped(), conf.get("TERMS")
    return {**shipped, "default": replace(shipped["default"], merits=terms)} if terms else shipped
