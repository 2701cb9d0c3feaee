"""Records of surveys and bands: names that fit, names that people write, and what derives from them."""

import numpy as np
import pytest

from broker_adapters import surveys
from broker_adapters.association import radius
from broker_adapters.records import BAND_WIDTH, DETECTION, SURVEY_WIDTH, Band, Survey


@pytest.mark.parametrize("name", ["", "Winter", "a" * (SURVEY_WIDTH + 1), "1st", "two words", "a-b"])
def test_a_survey_whose_name_does_not_fit_is_an_error_when_it_is_made(name):
    with pytest.raises(ValueError, match=rf"survey '{name}': a name is .* up to {SURVEY_WIDTH - 1}"):
        Survey(name=name)


@pytest.mark.parametrize("name", ["", "x" * (BAND_WIDTH + 1), "1", "r band", "g'"])
def test_a_band_whose_name_does_not_fit_is_an_error_when_it_is_made(name):
    with pytest.raises(ValueError, match=f"up to {BAND_WIDTH - 1} letters or digits"):
        Band(name)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("radius", 0.0, "arcsec"),
        ("radius", 31.0, "arcsec"),
        ("radius", float("nan"), "arcsec"),
        ("symbol", "star", "circle"),
        ("stamps", ("science", "movie"), "template"),
        ("bands", (Band("g"), Band("g")), "two bands"),
        ("noon", 1.0, "fraction of a day"),
    ],
)
def test_a_fact_that_cannot_be_is_an_error_that_says_what_is_wrong(field, value, problem):
    with pytest.raises(ValueError, match=f"survey 'x': .*{problem}"):
        Survey(name="x", **{field: value})


@pytest.mark.parametrize("field", ["colour", "red"])
def test_a_colour_that_is_none_is_an_error(field):
    with pytest.raises(ValueError, match="#rrggbb"):
        Band("g", **{field: "red;}"})


def test_the_longest_names_fit_into_rows():
    rows = np.zeros(1, DETECTION)
    rows["survey"], rows["band"] = "a" * SURVEY_WIDTH, "b" * BAND_WIDTH
    assert (str(rows["survey"][0]), str(rows["band"][0])) == ("a" * SURVEY_WIDTH, "b" * BAND_WIDTH)


def test_texts_that_are_not_given_follow_from_the_name():
    survey = Survey(name="winter", title="Winter!")
    assert (survey.label, survey.title, survey.telescope, survey.instrument) == ("WINTER", "Winter!", "WINTER", "WINTER")


@pytest.mark.parametrize(
    ("survey", "written", "object_id"),
    [
        ("ztf", "ZTF26aacextk", "ZTF26aacextk"),
        ("ztf", "ztf26aacextk", None),
        ("ztf", "ZTF26aacextk2", None),
        ("lsst", "170028526513684557", "170028526513684557"),
        ("lsst", "LSST 170028526513684557", "170028526513684557"),
        ("lsst", "lsst170028526513684557", "170028526513684557"),
        ("lsst", "ATLAS 170028526513684557", None),
        ("atlas", "1032155561403819520", None),
        ("atlas", "ATLAS 1032155561403819520", "1032155561403819520"),
    ],
)
def test_the_object_in_a_name_as_people_write_it(survey, written, object_id):
    assert surveys.about(survey).object_id_of(written) == object_id


@pytest.mark.parametrize(
    ("first", "second", "arcsec"),
    [
        ("lsst", "lsst", 1.0),
        ("lsst", "ztf", 1.5),
        ("ztf", "ztf", 1.5),
        ("ztf", "atlas", 3.0),
        ("lsst", "atlas", 3.0),
        ("atlas", "atlas", 3.0),
        ("lsst", "unheard_of", 1.5),
        ("unheard_of", "unheard_of", 1.5),
        ("atlas", "unheard_of", 3.0),
    ],
)
def test_the_radius_of_a_pair_is_the_larger_one(first, second, arcsec):
    assert radius(first, second) == radius(second, first) == arcsec


@pytest.mark.parametrize("name", ["gone", "A name / that no module has", ""])
def test_a_survey_that_is_not_known_has_a_neutral_record(name):
    survey = surveys.about(name)
    assert survey.label == (name.upper() or "UNKNOWN")
    assert (survey.bands, survey.pages, survey.coarse, survey.catalogued, survey.radius) == ((), (), False, False, 1.5)
