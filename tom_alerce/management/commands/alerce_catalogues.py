"""``manage.py alerce_catalogues``: fetch whole catalogues and the table of TNS, and ask remote catalogues about our objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from broker_adapters import tns_table
from broker_adapters.catalogues import _wheels
from broker_adapters.errors import AdapterError
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.progress import progress
from tom_alerce.models import SkyObject
from tom_alerce.store import context, tns

#: Arguments of `tns_table.Client` that ``DATA_SERVICES["TNS"]`` may have; tom_tns has others beside them.
_ACCOUNT = ("bot_id", "bot_name", "api_key")


class Command(command.Command):
    """Exit code: 0, or 1 if something could not be had; what was there before stays."""

    help = (
        "Fetch NAME: 'tns', the public table of the Transient Name Server (with the account in DATA_SERVICES['TNS'], once a day, and "
        "--hour for what changed since), whose names our objects then get; or 'galaxies' or 'stars', whole catalogues that the package "
        "has only in part, into the folder that --to names. Ask: put the latest objects to the remote catalogues of "
        "TOM_ALERCE['CATALOGUES'], for the pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what is fetched, from where and whereto."""
        parser.add_argument("action", choices=["fetch", "ask"])
        parser.add_argument("name", metavar="NAME", nargs="?", choices=["tns", *_wheels.WHEELS], help="what is fetched: %(choices)s")
        parser.add_argument(
            "--limit", type=positive, default=500, help="largest number of objects that are asked about (default: %(default)s)"
        )
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="where the table of galaxies or stars is written")
        parser.add_argument(
            "--hour", type=int, choices=range(24), metavar="HOUR", help="only the changes of TNS up to this hour of today, UTC"
        )
        parser.add_argument("--file", type=Path, help="a table of TNS that was downloaded before")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch one table, or ask."""
        if options["action"] == "ask":
            self._ask(options["limit"])
            return
        try:
            if options["name"] is None:
                raise CommandError(f"say what is to be fetched: tns, {', '.join(_wheels.WHEELS)}")
            if options["name"] == "tns":
                self._tns(options["file"], options["hour"])
            else:
                self._catalogue(options["name"], options["to"])
        except (AdapterError, OSError) as error:
            raise CommandError(str(error)) from error

    def _catalogue(self, name: str, folder: Path | None) -> None:
        if folder is None:
            raise CommandError(f"say where the table of {name} is to be written: --to FOLDER")
        path = _wheels.fetch(name, folder.resolve())
        self.stdout.write(f"{path} is made. To use it: TOM_ALERCE = {{'CATALOGUES': {{'{name}': {{'path': '{path}'}}}}}}")

    def _tns(self, file: Path | None, hour: int | None) -> None:
        archive = file.read_bytes() if file is not None else _account().table(hour)
        with progress("TNS", "objects") as done:
            loaded = tns.load(tns_table.read(archive), whole=hour is None, done=done)
        named = tns.give_names(now() - conf.get("RANK_DAYS"))
        self.stdout.write(
            f"TNS: {loaded.read} objects read, {loaded.written} new or changed, {loaded.removed} removed; {named} of our objects got a name"
        )

    def _ask(self, limit: int) -> None:
        places = SkyObject.objects.filter(moving=False, last_mjd__gte=now() - conf.get("RANK_DAYS")).order_by("-last_mjd", "-pk")[:limit]
        ra, dec = np.array(list(places.values_list("ra", "dec"))).reshape(-1, 2).T
        found = context.around(ra, dec, context.MARGIN, remote=True)
        self.stdout.write(f"{len(ra)} objects: {len(found.sources)} sources within {context.MARGIN:g} arcseconds")
        if found.unknown:
            raise CommandError("; ".join(f"{name}: {reason}" for name, reason in found.unknown.items()))


def _account() -> tns_table.Client:
    """TNS, for the bot in the settings of the TOM."""
    account = (getattr(settings, "DATA_SERVICES", None) or {}).get("TNS")
    if not isinstance(account, Mapping) or not all(account.get(name) for name in _ACCOUNT):
        raise CommandError(f"DATA_SERVICES['TNS'] in the settings has to give {', '.join(_ACCOUNT)}, as for tom_tns")
    key, url = {name: str(account[name]) for name in _ACCOUNT}, str(account.get("base_url") or tns_table.URL)
    return tns_table.Client(bot_id=key["bot_id"], bot_name=key["bot_name"], api_key=key["api_key"], base_url=url)
