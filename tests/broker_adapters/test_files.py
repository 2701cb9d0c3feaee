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
    tar = str(tmp_path / "night/ztf_public_20260101.tar.gz")
    assert [tuple(p) for p in found] == [
        (str(tmp_path / "night/1.avro"), "", b"night/1.avro"),
        (str(tmp_path / "night/b/2.avro"), "", b"night/b/2.avro"),
        (tar, "x/1.avro", b"one"),
        (tar, "../../evil.avro", b"two"),  # a name, never a place to write to
        (str(tmp_path / "single.avro"), "", b"single.avro"),
    ]
    assert not (tmp_path.parent / "evil.avro").exists()


def test_a_relative_path_is_found_again_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "1.avro").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    assert [p.source for p in packets(["night"])] == [str(tmp_path / "night" / "1.avro")]


def test_links_below_a_folder_are_not_followed(tmp_path, caplog):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_bytes(b"secret")
    (tmp_path / "night").mkdir()
    os.symlink(tmp_path / "secret", tmp_path / "night" / "folder")
    os.symlink(tmp_path / "secret" / "key", tmp_path / "night" / "file")
    os.symlink(tmp_path / "night", tmp_path / "night" / "loop")
    assert list(packets([tmp_path / "night"])) == []
    assert "3 symbolic links are not followed" in caplog.text


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path):
    (tmp_path / "night").mkdir()
    os.mkfifo(tmp_path / "night" / "a pipe")
    (tmp_path / "night" / "packet").write_bytes(b"read")
    os.symlink(tmp_path / "loop", tmp_path / "loop")
    found = packets([tmp_path / "night", "/dev/zero", tmp_path / "loop", tmp_path / "night" / "packet"])
    assert [next(found).data, next(found).data] == [b"read", b"read"]
    with pytest.raises(SourceError, match=r"neither a file nor a folder: .*a pipe; neither.*/dev/zero; cannot read .*loop: "):
        next(found)


def test_a_folder_that_cannot_be_read_keeps_nothing_else_from_being_read(tmp_path, monkeypatch):
    """Permissions do not hold the superuser back, so that the refusal of the system is played."""
    for name in ("a", "closed", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "packet").write_bytes(name.encode())
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = packets([tmp_path])
    assert [next(found).data, next(found).data] == [b"a", b"z"]
    with pytest.raises(SourceError, match=r"cannot read .*closed: Permission denied"):
        next(found)


def test_many_problems_are_counted(tmp_path):
    with pytest.raises(SourceError, match=r"^(no such file or folder: \S+; ){3}and 7 more$"):
        list(packets(tmp_path / str(i) for i in range(10)))


def test_sizes_are_bounded(tmp_path):
    (tmp_path / "big").write_bytes(bytes(avro.MAX_PACKET + 1000))
    archive(tmp_path / "big.tar.gz", {"bomb": bytes(5 * avro.MAX_PACKET), "after": b"fine"})
    sizes = [len(p.data) for p in packets([tmp_path / "big", tmp_path / "big.tar.gz"])]
    assert sizes == [avro.MAX_PACKET + 1, avro.MAX_PACKET + 1, 4]


def test_what_is_not_there(tmp_path):
    (tmp_path / "first").write_bytes(b"1")
    found = packets([tmp_path / "absent", tmp_path / "first"])
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
