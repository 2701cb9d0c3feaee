"""A small network of telescopes in the shape of a ConfigDB: what a real observation portal reads at its start.

Three sites, so that a target at any declination is up somewhere within a day; one camera and one spectrograph.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILTERS = ("up", "gp", "rp", "ip", "zs", "B", "V", "R", "I")
SLITS = ("slit_1.6as", "slit_2.0as")
#: Site -> latitude, longitude (degrees), elevation (m), whether it has the telescope of two metres.
SITES = {"cpt": (-32.38, 20.81, 1800, False), "coj": (-31.27, 149.07, 1170, True), "ogg": (20.71, -156.26, 3060, True)}


def write(folder: Path) -> None:
    """Write the answers of a ConfigDB and of a DowntimeDB without downtimes, for a server of files."""
    for path, results in (("sites", [_site(code, *place) for code, place in SITES.items()]), ("api", [])):
        (folder / path).mkdir(parents=True, exist_ok=True)
        answer = {"count": len(results), "next": None, "previous": None, "results": results}
        (folder / path / "index.html").write_text(json.dumps(answer))


def _site(code: str, latitude: float, longitude: float, elevation: int, big: bool) -> dict[str, Any]:
    place = {"lat": latitude, "long": longitude}
    telescopes = [("doma", "1m0a", 1.0, _camera(code))] + ([("clma", "2m0a", 2.0, _spectrograph(code))] if big else [])
    enclosures = [_named(dome, telescope_set=[_telescope(name, size, place, one)]) for dome, name, size, one in telescopes]
    return _named(code, elevation=elevation, timezone=round(longitude / 15), enclosure_set=enclosures, **place)


def _named(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": code, "active": True, "schedulable": True, **more}


def _telescope(code: str, aperture: float, place: dict[str, float], instrument: dict[str, Any]) -> dict[str, Any]:
    limits = {"horizon": 15.0, "ha_limit_pos": 4.6, "ha_limit_neg": -4.6, "zenith_blind_spot": 0.0}
    overheads = dict.fromkeys(("slew_rate", "instrument_change_overhead"), 0.0) | dict.fromkeys(
        ("minimum_slew_overhead", "maximum_slew_overhead"), 2.0
    )
    return _named(code, aperture=aperture, instrument_set=[instrument], **place, **limits, **overheads)


def _camera(site: str) -> dict[str, Any]:
    modes = {"readout": ("full_frame",), "acquisition": ("OFF",), "guiding": ("ON", "OFF")}
    kind = _kind("1M0-SCICAM-SINISTRO", "IMAGE", ("EXPOSE", "REPEAT_EXPOSE"), modes)
    return _instrument(f"fa-{site}", kind, "filters", FILTERS)


def _spectrograph(site: str) -> dict[str, Any]:
    modes = {"readout": ("default",), "acquisition": ("WCS", "OFF"), "guiding": ("ON", "OFF"), "rotator": ("VFLOAT",)}
    kind = _kind("2M0-FLOYDS-SCICAM", "SPECTRA", ("SPECTRUM", "REPEAT_SPECTRUM"), modes)
    return _instrument(f"en-{site}", kind, "slits", SLITS)


def _kind(code: str, category: str, configurations: tuple[str, ...], modes: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    of_configuration = {"config_change_overhead": 0.0, "requires_optical_elements": True, "force_acquisition_off": False}
    seconds = {
        "config_front_padding": 5.0,
        "observation_front_padding": 90.0,
        "fixed_overhead_per_exposure": 1.0,
        "acquire_exposure_time": 0,
    }
    return _named(
        code,
        instrument_category=category,
        allow_self_guiding=True,
        default_configuration_type=configurations[0],
        configuration_types=[_named(one, **of_configuration) for one in configurations],
        default_acceptability_threshold=90,
        validation_schema={},
        mode_types=[
            {"type": kind, "default": codes[0], "modes": [_named(one, overhead=0.0, validation_schema={}) for one in codes]}
            for kind, codes in modes.items()
        ],
        **seconds,
    )


def _instrument(code: str, kind: dict[str, Any], group: str, elements: tuple[str, ...]) -> dict[str, Any]:
    pixels = {"pixels_x": 4096, "pixels_y": 4096, "pscale": 0.389, "max_rois": 0, "allow_self_guiding": True}
    camera = {"code": code, "orientation": 0.0, "camera_type": {"code": kind["code"], "name": kind["name"], **pixels}}
    wheel = {"type": group, "name": group, "element_change_overhead": 2.0, "default": elements[0]}
    wheel["optical_elements"] = [_named(one) for one in elements]
    science = {**camera, "optical_element_groups": [wheel]}
    return _named(
        code, state="SCHEDULABLE", instrument_type=kind, science_cameras=[science], autoguider_camera=camera | {"code": f"ef-{code[3:]}"}
    )
