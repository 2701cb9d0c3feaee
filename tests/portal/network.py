"""A small network of telescopes in the shape of a ConfigDB: what a real observation portal reads at its start.

Three sites, so that a target at any declination is up somewhere within a day, with a camera, a spectrograph and MuSCAT; and a mountain
with SOAR and Blanco, whose instruments are as the portal of Las Cumbres lists them (kept by AEONlib and GOATS).
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
    for path, results in (("sites", [*(_site(code, *place) for code, place in SITES.items()), _mountain()]), ("api", [])):
        (folder / path).mkdir(parents=True, exist_ok=True)
        answer = {"count": len(results), "next": None, "previous": None, "results": results}
        (folder / path / "index.html").write_text(json.dumps(answer))


def _site(code: str, latitude: float, longitude: float, elevation: int, big: bool) -> dict[str, Any]:
    place = {"lat": latitude, "long": longitude}
    telescopes = [("doma", "1m0a", 1.0, [_camera(code)])] + ([("clma", "2m0a", 2.0, [_spectrograph(code), _muscat(code)])] if big else [])
    enclosures = [_named(dome, telescope_set=[_telescope(name, size, place, has)]) for dome, name, size, has in telescopes]
    return _named(code, elevation=elevation, timezone=round(longitude / 15), enclosure_set=enclosures, **place)


def _mountain() -> dict[str, Any]:
    """SOAR and Blanco."""
    place = {"lat": -30.24, "long": -70.73}
    telescopes = [("soar", "4m0a", [_goodman("sor"), _goodman_imager("sor")]), ("blanco", "4m0b", [_decam("sor")])]
    enclosures = [_named(dome, telescope_set=[_telescope(name, 4.0, place, has)]) for dome, name, has in telescopes]
    return _named("sor", elevation=2700, timezone=-5, enclosure_set=enclosures, **place)


def _named(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": code, "active": True, "schedulable": True, **more}


def _telescope(code: str, aperture: float, place: dict[str, float], instruments: list[dict[str, Any]]) -> dict[str, Any]:
    limits = {"horizon": 15.0, "ha_limit_pos": 4.6, "ha_limit_neg": -4.6, "zenith_blind_spot": 0.0}
    overheads = dict.fromkeys(("slew_rate", "instrument_change_overhead"), 0.0) | dict.fromkeys(
        ("minimum_slew_overhead", "maximum_slew_overhead"), 2.0
    )
    return _named(code, aperture=aperture, instrument_set=instruments, **place, **limits, **overheads)


def _camera(site: str) -> dict[str, Any]:
    modes = {"readout": ("full_frame",), "acquisition": ("OFF",), "guiding": ("ON", "OFF")}
    kind = _kind("1M0-SCICAM-SINISTRO", "IMAGE", ("EXPOSE", "REPEAT_EXPOSE"), modes)
    return _instrument(f"fa-{site}", kind, {"filters": FILTERS})


def _spectrograph(site: str) -> dict[str, Any]:
    modes = {"readout": ("default",), "acquisition": ("WCS", "OFF"), "guiding": ("ON", "OFF"), "rotator": ("VFLOAT",)}
    kind = _kind("2M0-FLOYDS-SCICAM", "SPECTRA", ("SPECTRUM", "REPEAT_SPECTRUM"), modes)
    return _instrument(f"en-{site}", kind, {"slits": SLITS})


def _muscat(site: str) -> dict[str, Any]:
    modes = {"readout": ("MUSCAT_FAST", "MUSCAT_SLOW"), "guiding": ("ON", "OFF"), "exposure": ("SYNCHRONOUS", "ASYNCHRONOUS")}
    kind = _kind("2M0-SCICAM-MUSCAT", "IMAGE", ("EXPOSE", "REPEAT_EXPOSE"), modes | {"acquisition": ("OFF",)})
    return _instrument(f"mc-{site}", kind, {f"narrowband_{band}_positions": ("out", "in") for band in "griz"})


def _goodman(site: str) -> dict[str, Any]:
    modes = {"readout": ("GHTS_R_400m1_2x2", "GHTS_R_400m2_2x2"), "acquisition": ("MANUAL",), "guiding": ("ON",), "rotator": ("SKY",)}
    kind = _kind("SOAR_GHTS_REDCAM", "SPECTRA", ("SPECTRUM", "ARC", "LAMP_FLAT"), modes)
    for one in kind["configuration_types"]:
        one |= {"requires_optical_elements": False, "force_acquisition_off": one["code"] != "SPECTRUM"}
    return _instrument(f"gr-{site}", kind | {"name": "Goodman Spectrograph RedCam"}, {})


def _goodman_imager(site: str) -> dict[str, Any]:
    modes = {"readout": ("GHTS_R_Image_2x2",), "acquisition": ("MANUAL",), "guiding": ("OFF", "ON"), "rotator": ("SKY",)}
    kind = _kind("SOAR_GHTS_REDCAM_IMAGER", "IMAGE", ("EXPOSE",), modes)
    return _instrument(f"gi-{site}", kind, {"filters": tuple(f"{band}-SDSS" for band in "griz")})


def _decam(site: str) -> dict[str, Any]:
    modes = {"readout": ("default",), "acquisition": ("OFF",), "guiding": ("ON",)}
    centering = {"type": "string", "allowed": ["central_gap", "N4", "S4"], "default": "central_gap"}
    schema = {"extra_params": {"type": "dict", "required": True, "default": {}, "schema": {"detector_centering": centering}}}
    kind = _kind("BLANCO_DECAM", "IMAGE", ("EXPOSE",), modes) | {"validation_schema": schema}
    return _instrument(f"de-{site}", kind, {"filters": ("r", "g", "i", "z")})


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


def _instrument(code: str, kind: dict[str, Any], groups: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    pixels = {"pixels_x": 4096, "pixels_y": 4096, "pscale": 0.389, "max_rois": 0, "allow_self_guiding": True}
    camera = {"code": code, "orientation": 0.0, "camera_type": {"code": kind["code"], "name": kind["name"], **pixels}}
    wheels: list[dict[str, Any]] = [{"type": group, "name": group, "element_change_overhead": 2.0} for group in groups]
    for wheel, elements in zip(wheels, groups.values(), strict=True):
        wheel |= {"default": elements[0], "optical_elements": [_named(one) for one in elements]}
    science = {**camera, "optical_element_groups": wheels}
    return _named(
        code, state="SCHEDULABLE", instrument_type=kind, science_cameras=[science], autoguider_camera=camera | {"code": f"ef-{code[3:]}"}
    )
