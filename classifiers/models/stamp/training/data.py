"""Reader of the folder of labelled alerts for training and evaluation: ``ztf_stamps.npz`` and ``ztf_stamps_meta.parquet``.

The first holds ``candid`` (n,) and ``stamps`` (n, 3, 63, 63); the second, in the same order, ``candid``, ``objectId``, ``jd``,
``ra``, ``dec``, ``stamp_class`` (empty: unlabelled) and the fields of ZTF's candidate.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from classifiers.models.stamp.preprocess import Floats, Inputs, from_table
from classifiers.records import ClassifierError
from classifiers.taxonomy import STAMP

#: Names of the files.
STAMPS, META = "ztf_stamps.npz", "ztf_stamps_meta.parquet"
#: Noon at Palomar as a fraction of a Julian day, where a night begins.
NOON = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Table of n alerts.

    Attributes
    ----------
    inputs : Inputs
    candid, objects : ndarray of str, shape (n,)
    labels : ndarray of str, shape (n,)
        '' where unlabelled.
    jd : ndarray of float, shape (n,)
    sky : ndarray of float, shape (n, 2)
        Right ascension and declination in degrees: no input of the models, but of an ablation.
    """

    inputs: Inputs
    candid: NDArray[np.str_]
    objects: NDArray[np.str_]
    labels: NDArray[np.str_]
    jd: Floats
    sky: Floats

    def __len__(self) -> int:
        return len(self.jd)

    @property
    def nights(self) -> NDArray[np.int64]:
        """Number of the night, noon to noon, shape (n,)."""
        number: NDArray[np.int64] = np.floor(self.jd - NOON).astype(np.int64)
        return number

    @property
    def codes(self) -> NDArray[np.int64]:
        """Column of the label in `taxonomy.STAMP`, -1 where unlabelled, shape (n,)."""
        return np.array([STAMP.index(x) if x else -1 for x in self.labels.tolist()], int)

    def take(self, rows: ArrayLike) -> Table:
        """Some of the alerts, by index or mask."""
        rows = np.asarray(rows)
        return Table(self.inputs.take(rows), self.candid[rows], self.objects[rows], self.labels[rows], self.jd[rows], self.sky[rows])

    def first(self, labelled: bool = True) -> NDArray[np.int64]:
        """Rows of the earliest alert of each (labelled) object, in time order."""
        order = np.argsort(self.jd, kind="stable")
        if labelled:
            order = order[self.labels[order] != ""]
        _, index = np.unique(self.objects[order], return_index=True)
        rows: NDArray[np.int64] = order[np.sort(index)]
        return rows


def read(data: Path) -> Table:
    """Read the alerts of a folder.

    Raises
    ------
    ClassifierError
        A file is missing or damaged, the two do not belong together, or a label is unknown.
    """
    stamps_path, table_path = data / STAMPS, data / META
    try:
        with np.load(stamps_path, allow_pickle=False) as file:
            candid, stamps = file["candid"].astype(str), file["stamps"]
        frame = pd.read_parquet(table_path)
        columns = frame[["candid", "objectId", "jd", "stamp_class", "ra", "dec"]]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ClassifierError(f"{data} has no readable stamps: {error}") from error
    if stamps.ndim != 4 or stamps.shape[1:] != (3, 63, 63) or columns["candid"].astype(str).tolist() != candid.tolist():
        raise ClassifierError(f"{stamps_path.name} and {table_path.name} do not belong together")
    labels = np.array([x if isinstance(x, str) else "" for x in columns["stamp_class"]], str)
    unknown = set(labels.tolist()) - {"", *STAMP}
    if unknown:
        raise ClassifierError(f"{table_path.name} has labels that are none of {', '.join(STAMP)}: {', '.join(sorted(unknown))}")
    inputs = from_table(stamps, {name: frame[name].tolist() for name in frame.columns})
    return Table(
        inputs, candid, columns["objectId"].to_numpy(str), labels, columns["jd"].to_numpy(float), columns[["ra", "dec"]].to_numpy(float)
    )


def digests(objects: ArrayLike) -> NDArray[np.uint64]:
    """Digests of object names, shape (n,): the first 8 bytes of their SHA-256, by which a model knows its training objects."""
    names = np.asarray(objects, str).tolist()
    return np.array([int.from_bytes(sha256(name.encode()).digest()[:8], "big") for name in names], np.uint64)
