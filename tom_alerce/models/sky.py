"""Objects on the sky, their measurements and stamps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from broker_adapters import lifetime, surveys, tns
from broker_adapters.lifetime import Doubt
from broker_adapters.records import BAND_WIDTH, OBJECT_ID_WIDTH, SOURCE_ID_WIDTH, SURVEY_WIDTH, Lifetime


def first_seen(path: str = "") -> Coalesce:
    """`SkyObject.first_seen_mjd` for queries; ``path`` leads to the object, such as 'sky_object__'."""
    return Coalesce(f"{path}survey_first_mjd", f"{path}first_mjd")


class Named(Protocol):
    """What a survey calls an object, as `SurveyObject` has it."""

    @property
    def survey(self) -> str:
        """Name of the survey."""

    @property
    def object_id(self) -> str:
        """Its name of the object."""

    @property
    def names(self) -> Sequence[str]:
        """Other names of it."""


def written(survey: str, object_id: str) -> str:
    """Name of a survey object; the survey stands before a name that is a number, since an ATLAS number could be one of Rubin's."""
    return f"{surveys.about(survey).label} {object_id}" if object_id.isdecimal() else object_id


def public_names(members: Iterable[Named]) -> list[str]:
    """Names of the object that has these members: of TNS, then of the surveys by precedence (ZTF, ATLAS, Rubin), then others."""
    members = sorted(members, key=lambda m: (surveys.about(m.survey).precedence, m.object_id))
    others = [name for member in members for name in member.names if name.strip()]
    own = [written(member.survey, member.object_id) for member in members]
    called = tns.best([*others, *own])
    rest = [name for name in others if tns.written(name) != called] if called else others
    return list(dict.fromkeys(([called] if called else []) + [*own, *rest]))


class SkyObject(models.Model):
    """One source on the sky: survey objects of all surveys are linked to it, and it may become a TOM target."""

    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    position_err = models.FloatField(help_text="arcseconds, one standard deviation per axis")
    healpix = models.BigIntegerField(db_index=True, help_text="nested index of order 12")
    target = models.ForeignKey("tom_targets.BaseTarget", null=True, blank=True, on_delete=models.SET_NULL, related_name="sky_objects")
    first_mjd = models.FloatField(null=True, help_text="first detection, MJD UTC")
    last_mjd = models.FloatField(null=True, db_index=True, help_text="latest detection, MJD UTC")
    n_detections = models.PositiveIntegerField(default=0, help_text="detections, without forced photometry and limits")
    survey_first_mjd = models.FloatField(null=True, help_text="first detection that a survey states, if earlier than first_mjd, MJD UTC")
    survey_n_detections = models.PositiveIntegerField(
        default=0, help_text="detections that surveys state, with those here of surveys that state none"
    )
    evidence = models.CharField(max_length=64, blank=True, help_text="digest of all measurements and stamps of its members")
    moving = models.BooleanField(default=False, help_text="a known solar-system object")
    placed_ra = models.FloatField(
        null=True, blank=True, help_text="degrees; where we put the target that we made of it; null if we made none"
    )
    placed_dec = models.FloatField(null=True, blank=True, help_text="degrees")
    promoted = models.BooleanField(default=False, help_text="has been a target: if that is deleted, no rule makes it one again")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "sky object"
        indexes: ClassVar = [models.Index(fields=["n_detections", "id"], name="alerce_n_detections")]
        #: Roles (`tom_alerce.conf.ROLES`).
        permissions: ClassVar = [
            ("view_board", "May see what surveys and brokers sent: board, objects, review, drift"),
            ("decide", "May promote, link, unlink and dismiss"),
            ("link_far", "May link survey objects that are more than 10 arcseconds apart"),
            ("request", "May draft requests and have them checked by the facility"),
            ("approve", "May approve a checked request to be sent"),
            ("send", "May send approved requests to facilities, and cancel them there"),
            ("override", "May pass a guard that stops a request, with a reason"),
            ("configure", "May see dead letters and what else concerns the running of the TOM"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def seen_target(self) -> Any:
        """The target, if the reader may see it (`tom_alerce.visible.reveal`); None otherwise, and where there is no reader."""
        return getattr(self, "_seen_target", None)

    @property
    def name(self) -> str:
        """What the reader calls it: the target's name if the reader may see that, else the first of its public names."""
        return self.public_name if self.seen_target is None else str(self.seen_target.name)

    @property
    def public_name(self) -> str:
        """Name for everybody, which no target gave: the first of `public_names`."""
        return next(iter(self.public_names), f"sky object {self.pk}")

    @property
    def public_names(self) -> list[str]:
        """All its names, those that a person can say first: of TNS, then of the surveys by precedence (ZTF, ATLAS, Rubin), then others."""
        return public_names(self.survey_objects.all())

    @property
    def other_names(self) -> list[str]:
        """Its public names without the one that it is called by."""
        return [name for name in self.public_names if name != self.name]

    @property
    def first_seen_mjd(self) -> float | None:
        """First detection by any survey, whether the measurement is here or not: what the age counts from."""
        return self.first_mjd if self.survey_first_mjd is None else self.survey_first_mjd

    @property
    def n_seen(self) -> int:
        """Detections by all surveys, whether the measurements are here or not."""
        return max(self.n_detections, self.survey_n_detections)


class SurveyObject(models.Model):
    """One object of one survey, linked to its sky object."""

    class Method(models.TextChoices):
        """Reason of the link to the sky object."""

        NEW = "new", "nothing was near"
        POSITION = "position", "position"
        NAME = "name", "name of a target"
        PERSON = "person", "a person's decision"

    survey = models.CharField(max_length=SURVEY_WIDTH)
    object_id = models.CharField(max_length=OBJECT_ID_WIDTH)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="survey_objects")
    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    position_err = models.FloatField(help_text="arcseconds")
    healpix = models.BigIntegerField(db_index=True, help_text="nested index of order 12")
    moving = models.BooleanField(default=False, help_text="a known solar-system object (`store.moving`)")
    moving_mjd = models.JSONField(
        default=list, blank=True, help_text="times of alerts that lay at a known solar-system object, MJD UTC to 0.1 d"
    )
    cleared = models.BooleanField(default=False, help_text="an alert of it lay at no known solar-system object")
    method = models.CharField(max_length=8, choices=Method.choices, default=Method.NEW)
    separation = models.FloatField(null=True, help_text="arcseconds to the sky object when it was linked")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="when a person linked or unlinked it")
    names = models.JSONField(default=list, help_text="other names of the object (TNS and so on)")
    first_mjd = models.FloatField(null=True, help_text="first detection, MJD UTC")
    last_mjd = models.FloatField(null=True, db_index=True, help_text="latest detection, MJD UTC")
    n_detections = models.PositiveIntegerField(default=0, help_text="detections, without forced photometry and limits")
    survey_first_mjd = models.FloatField(null=True, help_text="first detection that the survey states, MJD UTC")
    survey_last_mjd = models.FloatField(null=True, help_text="latest detection that the survey states, MJD UTC")
    survey_n_detections = models.PositiveIntegerField(null=True, help_text="detections that the survey states")
    survey_n_images = models.PositiveIntegerField(null=True, help_text="images of the place that the survey states")
    survey_doubts = models.JSONField(default=dict, blank=True, help_text="reason -> MJD of a date that is not believed")
    evidence = models.CharField(max_length=64, blank=True, help_text="digest of the contents of its measurements and stamps")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey", "object_id"], name="alerce_unique_survey_object")]

    def __str__(self) -> str:
        return written(self.survey, self.object_id)

    @property
    def lifetime(self) -> Lifetime:
        """What is believed of what the survey states."""
        return Lifetime(self.survey_first_mjd, self.survey_last_mjd, self.survey_n_detections, self.survey_n_images)

    @lifetime.setter
    def lifetime(self, value: Lifetime) -> None:
        self.survey_first_mjd, self.survey_last_mjd = value.first_mjd, value.last_mjd
        self.survey_n_detections, self.survey_n_images = value.n_detections, value.n_images

    @property
    def first_seen_mjd(self) -> float | None:
        """First detection by the survey, whether the measurement is here or not."""
        return min((mjd for mjd in (self.first_mjd, self.survey_first_mjd) if mjd is not None), default=None)

    @property
    def n_seen(self) -> int:
        """Detections by the survey, whether the measurements are here or not."""
        return max(self.n_detections, self.survey_n_detections or 0)

    @property
    def doubts(self) -> list[str]:
        """Dates that the survey states and that are not believed, with the reason."""
        dates = dict(self.survey_doubts)
        stated, here = self.survey_first_mjd, self.first_mjd
        if stated is not None and here is not None and stated > here + lifetime.TOLERANCE:
            dates[Doubt.AFTER_FIRST.value] = stated
        return [f"{lifetime.day(mjd)} is {reason}" for reason, mjd in sorted(dates.items())]

    @staticmethod
    def object_id_of(name: str) -> str:
        """Name in the survey of an object of that displayed name: 'LSST 170032915988021282' without the survey."""
        parts = name.split()
        return parts[1] if len(parts) == 2 and parts[1].isdecimal() and not parts[0].isdecimal() else name.strip()


class MatchCandidate(models.Model):
    """An ambiguous match: a survey object that may belong to a sky object; a person decides."""

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="match_candidates")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="match_candidates")
    separation = models.FloatField(help_text="arcseconds")
    decided = models.BooleanField(default=False, help_text="a person has linked it or refused to")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="when a person decided")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey_object", "sky_object"], name="alerce_unique_match_candidate")]
        indexes: ClassVar = [models.Index(fields=["-id"], condition=Q(decided=False), name="alerce_undecided")]

    def __str__(self) -> str:
        return f"{self.survey_object} near {self.sky_object_id} ({self.separation:.2f} arcsec)"


class Detection(models.Model):
    """One measurement, unique by (survey, source id): the same one through two brokers is one row."""

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="detections")
    survey = models.CharField(max_length=SURVEY_WIDTH)
    source_id = models.CharField(max_length=SOURCE_ID_WIDTH)
    kind = models.PositiveSmallIntegerField(help_text="broker_adapters.records.Kind")
    mjd = models.FloatField(help_text="MJD UTC, mid-exposure")
    band = models.CharField(max_length=BAND_WIDTH)
    flux = models.FloatField(null=True, help_text="difference flux, nJy; null for a non-detection")
    flux_err = models.FloatField(null=True, help_text="nJy; limit over n_sigma for a non-detection")
    ref_flux = models.FloatField(null=True, help_text="reference flux, nJy")
    ref_flux_err = models.FloatField(null=True, help_text="nJy")
    ra = models.FloatField(null=True)
    dec = models.FloatField(null=True)
    position_err = models.FloatField(null=True, help_text="arcseconds")
    reliability = models.FloatField(null=True, help_text="real-bogus score, 0 to 1")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey", "source_id"], name="alerce_unique_detection")]

    def __str__(self) -> str:
        return f"{self.survey} {self.source_id}"


class Stamps(models.Model):
    """Cutouts and metadata of the first and of the latest alert of a survey object."""

    class Slot(models.TextChoices):
        """Alert of the object: the first or the latest."""

        FIRST = "first"
        LATEST = "latest"

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="stamps")
    slot = models.CharField(max_length=6, choices=Slot.choices)
    source_id = models.CharField(max_length=SOURCE_ID_WIDTH)
    mjd = models.FloatField()
    science = models.BinaryField(null=True)
    template = models.BinaryField(null=True)
    difference = models.BinaryField(null=True)
    metadata = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True, default="", help_text="of metadata and images; empty in older rows")

    class Meta:
        verbose_name_plural = "stamps"
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey_object", "slot"], name="alerce_unique_stamps")]

    def __str__(self) -> str:
        return f"{self.survey_object} {self.slot}"
