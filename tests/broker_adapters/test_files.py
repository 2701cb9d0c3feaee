"""Files, folders and archives give each packet once, in order, and nothing else."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile

import fastavro
import pytest

from broker_adapters import avro
from broker_adapters.errors import SourceError
from broker_adapters.sources.archives import Packet, Unreadable, records
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


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path, caplog):
    (tmp_path / "night").mkdir()
    os.mkfifo(tmp_path / "night" / "a pipe")
    (tmp_path / "night" / "packet").write_bytes(b"read")
    os.symlink(tmp_path / "loop", tmp_path / "loop")
    found = packets([tmp_path / "night", "/dev/zero", tmp_path / "loop", tmp_path / "night" / "packet"])
    assert [next(found).data, next(found).data] == [b"read", b"read"]
    with pytest.raises(SourceError, match=r"^neither a file nor a folder: /dev/zero; cannot read .*loop: "):
        next(found)
    assert "1 pipes, sockets or devices are not read" in caplog.text


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


def pack(path, data):
    """The data as a file of this name, compressed as that says."""
    compress = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}.get(path.suffix.lower(), bytes)
    path.write_bytes(compress(data))
    return path


@pytest.mark.parametrize("name", ["x.avro.gz", "x.AVRO.BZ2", "x.json.xz", "anything.Gz"])
def test_a_compressed_message_is_read_in_any_spelling(tmp_path, name):
    assert [tuple(p) for p in packets([pack(tmp_path / name, b"message")])] == [(str(tmp_path / name), "", b"message")]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_file_may_have_several_members(tmp_path, compress):
    (tmp_path / "x").write_bytes(compress(b"one") + compress(b"two"))
    assert [p.data for p in packets([tmp_path / "x"])] == [b"onetwo"]


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def test_archives_in_archives(tmp_path):
    inner = zipped({"b.avro": b"b", "c.avro.gz": gzip.compress(b"c")})
    (tmp_path / "night").write_bytes(gzip.compress(tarred({"a.avro": b"a", "in.zip": inner, "bad.zip": inner[:30], "d.avro": b"d"})))
    found = list(packets([tmp_path / "night"]))
    assert [(p.position, p.data) for p in found] == [
        ("a.avro", b"a"), ("in.zip/b.avro", b"b"), ("in.zip/c.avro.gz", b"c"), ("bad.zip", b""), ("d.avro", b"d"),
    ]  # fmt: skip
    assert isinstance(found[3], Unreadable)
    assert "damaged archive" in found[3].reason


def test_layers_without_end_are_refused(tmp_path):
    data = b"x"
    for _ in range(10):
        data = gzip.compress(data)
    (tmp_path / "x.gz").write_bytes(data)
    with pytest.raises(SourceError, match="deeper than 4"):
        list(packets([tmp_path / "x.gz"]))


def container(n, codec="null", size=100, block=16000):
    schema = {"type": "record", "name": "r", "fields": [{"name": "i", "type": "long"}, {"name": "b", "type": ["null", "bytes"]}]}
    file = io.BytesIO()
    rows = ({"i": i, "b": None if i % 7 == 0 else bytes([i % 256]) * size} for i in range(n))
    fastavro.writer(file, schema, rows, codec=codec, sync_interval=block)
    return file.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("n", [1, 2, 1000])
def test_a_container_of_many_records_is_as_many_packets(tmp_path, codec, n):
    data = container(n, codec)
    (tmp_path / "x.avro").write_bytes(data)
    found = list(packets([tmp_path / "x.avro"]))
    assert [avro.read(p.data)["i"] for p in found] == list(range(n))
    assert [avro.read(p.data)["b"] for p in found[1:8]] == [bytes([i % 256]) * 100 if i % 7 else None for i in range(1, min(n, 8))]
    assert [p.position for p in found] == ([str(i) for i in range(n)] if n > 1 else [""])
    assert [p.data for p in records(Packet("topic", "0:7", data))] == [p.data for p in found]


def test_a_large_container_is_streamed(tmp_path):
    """40 MB, of which no more than a few blocks are in memory."""
    (tmp_path / "x.avro").write_bytes(container(400, size=100_000))
    tracemalloc.start()
    assert sum(1 for _ in packets([tmp_path / "x.avro"])) == 400
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize("damage", [lambda b: b[:-300], lambda b: b[:-16] + bytes(16), lambda b: b + b"x"])
def test_a_damaged_container_gives_what_came_before_and_a_reason(tmp_path, damage):
    data = damage(container(1000))
    (tmp_path / "x.avro").write_bytes(data)
    read = []
    with pytest.raises(SourceError, match=r"damaged Avro container .*after \d+ records"):
        read.extend(avro.read(packet.data)["i"] for packet in packets([tmp_path / "x.avro"]))


def test_a_message_that_is_a_damaged_container_gives_what_came_before_and_a_reason(tmp_path):
    data = bytearray(container(1000))
    data[-200] ^= 0xFF
    data[-16] ^= 0xFF
    *before, last = records(Packet("topic", "0:7", bytes(data)))
    assert (before[0].position, avro.read(before[0].data)["i"]) == ("0:7:0", 0)
    assert isinstance(last, Unreadable)


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE]
)
def test_an_extended_header_without_measure_is_refused(tmp_path, kind):
    """It announces 1.5 GB, of which nothing is read."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 3 << 29
    (tmp_path / "x.tar").write_bytes(tarred({"a": b"a"})[:1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    found = packets([tmp_path / "x.tar"])
    assert next(found).data == b"a"
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"damaged archive .*: (an extended header of 1610612736 bytes|a sparse file)"):
        next(found)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_long_name_is_a_name(tmp_path):
    (tmp_path / "x.tar").write_bytes(tarred({"a" * 3000: b"a"}))
    assert [p.position for p in packets([tmp_path / "x.tar"])] == ["a" * 3000]


def test_a_list_of_contents_without_measure_is_refused(tmp_path):
    data = bytearray(zipped({"a": b"a"}))
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(SourceError, match="list of contents has 1073741824 bytes"):
        list(packets([tmp_path / "x.zip"]))
