"""Packets from files, folders and archives: replay of a night, and the test double of a stream."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from broker_adapters.errors import SourceError
from broker_adapters.sources.archives import Packet, unpacked

__all__ = ["Packet", "below", "packets"]

logger = logging.getLogger(__name__)

#: Number of problems whose reasons are given; the others are counted.
_REASONS = 3


def packets(paths: Iterable[str | Path]) -> Iterator[Packet]:
    """Every message in the files named, in folders (at any depth, sorted) and in archives, as one packet.

    Below a folder, symbolic links are not followed and pipes and devices are not read (the log warns), nor are hidden files. A message
    larger than any packet is read only up to the size at which the adapters refuse it.

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
                with _open(file) as stream:
                    yield from unpacked(stream, Packet(str(file), "", b""), file.name)
            except SourceError as problem:
                problems.append(str(problem))
    if problems:
        more = f"; and {len(problems) - _REASONS} more" if len(problems) > _REASONS else ""
        raise SourceError("; ".join(problems[:_REASONS]) + more)


def below(paths: Iterable[str | Path]) -> list[Path]:
    """The files that are named, and those in folders that are, absolute and sorted in each folder, as `packets` reads them.

    Raises
    ------
    SourceError
        A folder cannot be read.
    """
    problems: list[str] = []
    found = [file for path in map(Path, paths) for file in _files(path, problems)]
    if problems:
        raise SourceError("; ".join(problems[:_REASONS]))
    return found


def _files(path: Path, problems: list[str]) -> list[Path]:
    """The file itself, or the files below a folder, absolute and sorted; folders that cannot be read go to the problems."""
    path = Path(os.path.abspath(path))  # as the user named it: links are not resolved
    if not path.is_dir():
        return [path]
    found, links, others = [], 0, 0
    for folder, folders, names in os.walk(path, onerror=lambda error: problems.append(_reason(error))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = [Path(folder, name) for name in names if not name.startswith(".")]
        regular = [file for file in here if not file.is_symlink() and not _is_special(file)]
        linked = sum(file.is_symlink() for file in here)
        links += linked + sum(Path(folder, name).is_symlink() for name in folders)
        others += len(here) - linked - len(regular)
        found += regular
    if links:
        logger.warning("%s: %d symbolic links are not followed; name what they point to", path, links)
    if others:
        logger.warning("%s: %d pipes, sockets or devices are not read", path, others)
    return sorted(found)


def _is_special(file: Path) -> bool:
    """Whether it is surely no regular file; of one that cannot be asked about `_open` says why."""
    try:
        return not stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False


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


def _reason(error: OSError) -> str:
    return f"cannot read {error.filename}: {error.strerror}"
