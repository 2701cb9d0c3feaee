"""Files, folders and archives give each packet once, in order, and nothing else."""

import io
import os
import tarfile

import pytest

from broker_adapters import avro
from broker_adapters.errors import SourceError
from broker_adapters.sources.files import packets


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"special{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)


def test_folders_files_and_archives(tmp_path):
    (tmp_path / "night" / "b").mkdir(parents=True)
    for name in ("night/b/2.avro", "night/1.avro", "night/.hidden", "single.avro"):
        (tmp_path / name).write_bytes(name.encode())
    archive(tmp_path / "night" / "ztf_public_20260101.tar.gz", {"x/1.avro": b"one", "../../evil.avro": b"two"})
    found = list(packets([tmp_path / "night", str(tmp_path / "single.avro")]))
    assert [(p.position, p.data) for p in found] == [
        ("1.avro", b"night/1.avro"),
        ("b/2.avro", b"night/b/2.avro"),
        ("x/1.avro", b"one"),
        ("../../evil.avro", b"two"),  # a name, never a place to write to
        ("single.avro", b"single.avro"),
    ]
    assert {p.source for p in found} == {str(tmp_path / "night"), str(tmp_path / "night/ztf_public_20260101.tar.gz"), str(tmp_path)}
    assert not (tmp_path.parent / "evil.avro").exists()


def test_links_below_a_folder_are_not_followed(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"secret")
    (tmp_path / "night").mkdir()
    os.symlink(tmp_path / "secret", tmp_path / "night" / "folder")
    os.symlink(tmp_path / "secret" / "key", tmp_path / "night" / "file")
    os.symlink(tmp_path / "night", tmp_path / "night" / "loop")
    assert list(packets([tmp_path / "night"])) == []


def test_sizes_are_bounded(tmp_path):
    (tmp_path / "big").write_bytes(bytes(avro.MAX_PACKET + 1000))
    archive(tmp_path / "big.tar.gz", {"bomb": bytes(5 * avro.MAX_PACKET), "after": b"fine"})
    sizes = [len(p.data) for p in packets([tmp_path / "big", tmp_path / "big.tar.gz"])]
    assert sizes == [avro.MAX_PACKET + 1, avro.MAX_PACKET + 1, 4]


def test_what_is_not_there(tmp_path):
    (tmp_path / "first").write_bytes(b"1")
    found = packets([tmp_path / "first", tmp_path / "absent"])
    assert next(found).data == b"1"
    with pytest.raises(SourceError, match="no such file"):
        next(found)


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"garbage" * 99, lambda b: b""])
def test_damaged_archives(tmp_path, damage):
    path = tmp_path / "x.tar.gz"
    archive(path, {f"{k}": os.urandom(5000) for k in range(20)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError, match="damaged archive"):
        list(packets([path]))
