"""Packets from files, folders and archives: replay of a night, and the test double of a stream."""

from __future__ import annotations

import logging
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from broker_adapters import avro
from broker_adapters.errors import SourceError

logger = logging.getLogger(__name__)

ARCHIVES = (".tar", ".tar.gz", ".tgz")

#: Number of problems whose reasons are given; the others are counted.
_REASONS = 3


class Packet(NamedTuple):
    """One message: its source (absolute path, topic), its position in the source ('' for the whole of it), and its bytes."""

    source: str
    position: str
    data: bytes


def packets(paths: Iterable[str | Path]) -> Iterator[Packet]:
    """Every file named, in a folder (at any depth, sorted) or in a tar archive, as one packet.

    Symbolic links below a folder are not followed (the log warns), hidden files are not read, and a file larger than any packet is read
    only up to the size at which the adapters refuse it.

    Raises
    ------
    SourceError
        When all that can be read has been yielded: a path does not exist, is neither a file nor a folder, or cannot be read, or an
        archive is damaged.
    """
    problems: list[str] = []
    for path in map(Path, paths):
        for file in _files(path, problems):
            try:
                yield from _archive(file) if file.name.endswith(ARCHIVES) else _file(file)
            except SourceError as problem:
                problems.append(str(problem))
    if problems:
        more = f"; and {len(problems) - _REASONS} more" if len(problems) > _REASONS else ""
        raise SourceError("; ".join(problems[:_REASONS]) + more)


def _files(path: Path, problems: list[str]) -> list[Path]:
    """The file itself, or the files below a folder, absolute and sorted; folders that cannot be read go to the problems."""
    path = Path(os.path.abspath(path))  # as the user named it: links are not resolved
    if not path.is_dir():
        return [path]
    found, links = [], 0
    for folder, folders, names in os.walk(path, onerror=lambda error: problems.append(_reason(error))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = [Path(folder, name) for name in names if not name.startswith(".")]
        links += sum(file.is_symlink() for file in here) + sum(Path(folder, name).is_symlink() for name in folders)
        found += [file for file in here if not file.is_symlink()]
    if links:
        logger.warning("%s: %d symbolic links are not followed; name what they point to", path, links)
    return sorted(found)


def _open(file: Path) -> BinaryIO:
    """A regular file, open; `SourceError` where it is anything else, such as a pipe, which is not waited for."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SourceError(f"no such file or folder: {file}") from error
    except OSError as error:
        raise SourceError(_reason(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"neither a file nor a folder: {file}")
    return os.fdopen(descriptor, "rb")


def _file(file: Path) -> Iterator[Packet]:
    with _open(file) as stream:
        try:
            data = stream.read(avro.MAX_PACKET + 1)
        except OSError as error:
            raise SourceError(f"cannot read {file}: {error.strerror}") from error
    yield Packet(str(file), "", data)


def _archive(file: Path) -> Iterator[Packet]:
    with _open(file) as bytes_:
        try:
            with tarfile.open(fileobj=bytes_, mode="r|*") as archive:
                for member in archive:
                    stream = archive.extractfile(member) if member.isreg() else None
                    if stream is not None:
                        yield Packet(str(file), member.name, stream.read(avro.MAX_PACKET + 1))
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            raise SourceError(f"damaged archive {file}: {error}") from error


def _reason(error: OSError) -> str:
    return f"cannot read {error.filename}: {error.strerror}"
