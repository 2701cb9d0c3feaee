"""Packets from files, folders and archives: replay of a night, and the test double of a stream."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from broker_adapters import avro
from broker_adapters.errors import SourceError

ARCHIVES = (".tar", ".tar.gz", ".tgz")


class Packet(NamedTuple):
    """One message as it came: of which source, where in it, and its bytes."""

    source: str
    position: str
    data: bytes


def packets(paths: Iterable[str | Path]) -> Iterator[Packet]:
    """Every file named, in a folder (at any depth, sorted) or in a tar archive, as one packet.

    Symbolic links below a folder are not followed, hidden files are not read, and of a file larger than any packet only so much is
    read that the adapters refuse it by its size.

    Raises
    ------
    SourceError
        A path does not exist or cannot be read, or an archive is damaged; all that came before has been yielded.
    """
    for path in map(Path, paths):
        if path.is_dir():
            for file in sorted(f for f in path.rglob("*") if _regular(f, path)):
                yield from _file(file, path)
        elif path.exists():
            yield from _file(path, path.parent)
        else:
            raise SourceError(f"no such file or folder: {path}")


def _regular(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    inside = not any((root.joinpath(*parts[: n + 1])).is_symlink() for n in range(len(parts)))
    return inside and file.is_file() and not any(p.startswith(".") for p in parts)


def _file(file: Path, root: Path) -> Iterator[Packet]:
    if file.name.endswith(ARCHIVES):
        yield from _archive(file)
        return
    try:
        with file.open("rb") as stream:
            data = stream.read(avro.MAX_PACKET + 1)
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}") from error
    yield Packet(str(root), str(file.relative_to(root)), data)


def _archive(file: Path) -> Iterator[Packet]:
    try:
        with tarfile.open(file, "r|*") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is not None:
                    yield Packet(str(file), member.name, stream.read(avro.MAX_PACKET + 1))
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise SourceError(f"damaged archive {file}: {error}") from error
