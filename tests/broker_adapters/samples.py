"""Reading the recorded answers of brokers, which lie beside the repository."""

import csv
import json
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from broker_adapters.brokers.alerce import read_lsst, read_ztf
from broker_adapters.records import Alert

NOTHING = {"", "NaN", "nan", "None", "NaT"}


def value(text: str):
    """A cell of a notebook's table as the JSON value that it was printed from; integers never pass through a float."""
    if text in NOTHING:
        return None
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def rows(path: Path) -> list[dict]:
    """A table of a notebook: without the column of row numbers, and the row of dots where pandas has cut it."""
    with path.open(newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if "..." not in line.values()]
    return [{name: value(text) for name, text in line.items() if name} for line in lines]


def recorded(path: Path) -> dict[str, tuple[dict, str]]:
    """Path of each recorded request -> (its query's text, JSON of the answer)."""
    interactions = yaml.safe_load(path.read_text())["interactions"]
    return {
        urlsplit(one["request"]["uri"]).path: (urlsplit(one["request"]["uri"]).query, json.loads(one["response"]["body"]["string"]))
        for one in interactions
    }


def sn_2026asx(real_data: Path) -> tuple[Alert, Alert]:
    """SN 2026asx as ALeRCE answered about it: ZTF26aacextk and, 0.19 arcseconds from it, LSST 170028526513684557."""
    folder = real_data / "broker_samples" / "alerce_usecases_notebooks"
    lsst, ztf, sources, seen, lsst_forced, ztf_forced = (rows(folder / f"ALeRCE_LSST_ZTF_cell{i}_0.csv") for i in (27, 28, 39, 40, 41, 42))
    seen = [row | {"candid": str(row["candid"])} for row in seen]
    return read_ztf(ztf[0], seen, forced=ztf_forced), read_lsst(lsst[0], sources, lsst_forced, lsst)
