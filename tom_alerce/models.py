"""Tables of the plugin, written by `tom_alerce.store` and, for requests, `tom_alerce.submit` alone (docs/decisions/002-storage.md)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class SkyObject(models.Model):
    """One source on the sky: what the survey objects of all surveys are linked to, and what may become a TOM target."""

    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    position_err = models.FloatField(help_text="arcseconds, one standard deviation per axis")
    healpix = models.BigIntegerField(db_index=True, help_text="nested index of order 12")
    target = models.ForeignKey("tom_targets.BaseTarget", null=True, blank=True, on_delete=models.SET_NULL, related_name="sky_objects")
    first_mjd = models.FloatField(null=True, help_text="first detection, MJD UTC")
    last_mjd = models.FloatField(null=True, db_index=True, help_text="latest detection, MJD UTC")
    n_detections = models.PositiveIntegerField(default=0, help_text="detections, without forced photometry and limits")
    evidence = models.CharField(max_length=64, blank=True, help_text="digest of all measurements and stamps of its members")
    moving = models.BooleanField(default=False, help_text="a known solar-system object")
    promoted = models.BooleanField(default=False, help_text="has been a target: if that is deleted, no rule makes it one again")
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "sky object"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What a person calls it: the target's name, else the Rubin, ZTF or ATLAS name, in this order."""
        if self.target_id:
            return self.target.name
        order = {"lsst": 0, "ztf": 1, "atlas": 2}
        members = sorted(self.survey_objects.all(), key=lambda m: (order.get(m.survey, 9), m.object_id))
        return str(members[0]) if members else f"sky object {self.pk}"


class SurveyObject(models.Model):
    """One object as one survey names it, linked to the sky object that it is a view of."""

    class Method(models.TextChoices):
        """Why it is linked to its sky object."""

        NEW = "new", "nothing was near"
        POSITION = "position", "position"
        NAME = "name", "name of a target"
        PERSON = "person", "a person's decision"

    survey = models.CharField(max_length=8)
    object_id = models.CharField(max_length=64)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="survey_objects")
    ra = models.FloatField(help_text="degrees, ICRS")
    dec = models.FloatField(help_text="degrees, ICRS")
    position_err = models.FloatField(help_text="arcseconds")
    healpix = models.BigIntegerField(db_index=True, help_text="nested index of order 12")
    moving = models.BooleanField(default=False)
    method = models.CharField(max_length=8, choices=Method.choices, default=Method.NEW)
    separation = models.FloatField(null=True, help_text="arcseconds to the sky object when it was linked")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    names = models.JSONField(default=list, help_text="other names of the object (TNS and so on)")
    first_mjd = models.FloatField(null=True, help_text="first detection, MJD UTC")
    last_mjd = models.FloatField(null=True, db_index=True, help_text="latest detection, MJD UTC")
    n_detections = models.PositiveIntegerField(default=0, help_text="detections, without forced photometry and limits")
    evidence = models.CharField(max_length=64, blank=True, help_text="digest of its measurements and stamps")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey", "object_id"], name="alerce_unique_survey_object")]

    def __str__(self) -> str:
        """Its name; a mere number, as Rubin and ATLAS give, has the survey before it: an ATLAS number could be one of Rubin's."""
        return f"{self.survey.upper()} {self.object_id}" if self.object_id.isdecimal() else self.object_id

    @staticmethod
    def object_id_of(name: str) -> str:
        """What the survey itself calls an object of that name."""
        words = name.split()
        return words[1] if len(words) == 2 and words[1].isdecimal() and not words[0].isdecimal() else name.strip()


class MatchCandidate(models.Model):
    """An ambiguous match: a survey object that may belong to a sky object, left for a person to decide."""

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="match_candidates")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="match_candidates")
    separation = models.FloatField(help_text="arcseconds")
    decided = models.BooleanField(default=False, help_text="a person has linked it or refused to")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey_object", "sky_object"], name="alerce_unique_match_candidate")]

    def __str__(self) -> str:
        return f"{self.survey_object} near {self.sky_object_id} ({self.separation:.2f} arcsec)"


class Detection(models.Model):
    """One measurement; the same measurement through two brokers is one row, which the database enforces."""

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="detections")
    survey = models.CharField(max_length=8)
    source_id = models.CharField(max_length=48)
    kind = models.PositiveSmallIntegerField(help_text="broker_adapters.records.Kind")
    mjd = models.FloatField(help_text="MJD UTC, mid-exposure")
    band = models.CharField(max_length=2)
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
        """Which alert of the object."""

        FIRST = "first"
        LATEST = "latest"

    survey_object = models.ForeignKey(SurveyObject, on_delete=models.CASCADE, related_name="stamps")
    slot = models.CharField(max_length=6, choices=Slot.choices)
    source_id = models.CharField(max_length=48)
    mjd = models.FloatField()
    science = models.BinaryField(null=True)
    template = models.BinaryField(null=True)
    difference = models.BinaryField(null=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "stamps"
        constraints: ClassVar = [models.UniqueConstraint(fields=["survey_object", "slot"], name="alerce_unique_stamps")]

    def __str__(self) -> str:
        return f"{self.survey_object} {self.slot}"


class Classification(models.Model):
    """What a classifier said of a sky object on given evidence; append-only, the latest row of a classifier is its word.

    An empty label means that the classifier cannot say (`store.classifications.latest` leaves such words out).
    """

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="classifications")
    survey_object = models.ForeignKey(
        SurveyObject,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="classifications",
        help_text="what a broker's label is about; null for our own classifiers, which see the whole sky object",
    )
    origin = models.CharField(max_length=16, default="local", help_text="'local', or the broker that said so")
    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    evidence = models.CharField(max_length=64, help_text="digest of the input; the same input is classified once")
    label = models.CharField(max_length=64, blank=True, db_index=True, help_text="in the words of its origin")
    probability = models.FloatField()
    probabilities = models.JSONField()
    details = models.JSONField(
        default=dict, blank=True, help_text="what it says beside the class: classifiers.records.Classification.details"
    )
    n_detections = models.PositiveIntegerField()
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sky_object", "origin", "classifier", "version", "evidence"], name="alerce_unique_classification"
            )
        ]

    def __str__(self) -> str:
        return f"{self.classifier}: {self.label} ({self.probability:.2f})" if self.label else f"{self.classifier}: cannot say"


class Explanation(models.Model):
    """What a classifier looked at in the stamps of one alert (`classifiers.stamp.explain`); the same stamps are explained once."""

    stamps = models.ForeignKey(Stamps, on_delete=models.CASCADE, related_name="explanations")
    source_id = models.CharField(max_length=48, help_text="the alert whose stamps they were")
    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    label = models.CharField(max_length=64, help_text="the class that the map speaks for")
    probability = models.FloatField(help_text="of that class, by the images alone")
    weights = models.BinaryField(help_text="63 x 63 little-endian float16: loss of that probability when the pixel is hidden")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stamps", "source_id", "classifier", "version"], name="alerce_unique_explanation")
        ]

    def __str__(self) -> str:
        return f"{self.stamps}: {self.label}"


class Drift(models.Model):
    """How far the alerts of one night were from what a classifier was trained on (`classifiers.stamp.drift`)."""

    classifier = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    night = models.DateField(help_text="of the evening at the survey's telescope")
    n = models.PositiveIntegerField(help_text="alerts that were looked at")
    classes = models.JSONField(help_text="class -> share of the alerts that it won")
    psi = models.JSONField(help_text="quantity -> population stability index beyond that of any night of the training set, largest first")
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["classifier", "version", "night"], name="alerce_unique_drift")]

    def __str__(self) -> str:
        return f"{self.classifier} {self.night}"


class Ranking(models.Model):
    """One ranking of candidates for one night at one site."""

    site = models.CharField(max_length=100)
    night = models.CharField(max_length=10, help_text="ISO date of the evening at the site")
    now = models.FloatField(help_text="MJD UTC for which it was made")
    weights = models.JSONField()
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.site} {self.night}"


class Rank(models.Model):
    """The place of one sky object in a ranking, with every term that led to it."""

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="ranks")
    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="ranks")
    place = models.PositiveIntegerField()
    score = models.FloatField()
    hours = models.FloatField(help_text="observable hours left tonight")
    magnitude = models.FloatField(null=True, help_text="AB, of the latest detection (followup.brightness); null where it is not known")
    terms = models.JSONField(help_text="term -> {score, weight, reason}")
    visibility = models.JSONField(default=dict, help_text="{times: [MJD], altitude: [deg], moon_separation: deg}")

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["ranking", "sky_object"], name="alerce_unique_rank")]

    def __str__(self) -> str:
        return f"{self.place}. {self.sky_object}"


class FollowupRequest(models.Model):
    """A wish to observe, as a state machine; its key makes it unique, so that the same wish is never sent twice."""

    class State(models.TextChoices):
        """Where the request stands; see `tom_alerce.submit` for the transitions."""

        DRAFT = "draft", "draft"
        VALIDATED = "validated", "validated, not sent"
        INVALID = "invalid", "refused by the facility's own check"
        SUBMITTING = "submitting", "being sent"
        SUBMITTED = "submitted", "submitted"
        FAILED = "failed", "not accepted"
        UNCERTAIN = "uncertain", "sent, no answer: may exist at the facility"

    key = models.CharField(max_length=32, unique=True)
    sky_object = models.ForeignKey(SkyObject, on_delete=models.PROTECT, related_name="followup_requests")
    target = models.ForeignKey(
        "tom_targets.BaseTarget",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="for which it was made; who may see it may see the request",
    )
    ranking = models.ForeignKey(Ranking, null=True, on_delete=models.SET_NULL, related_name="followup_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    facility = models.CharField(max_length=64)
    payload = models.JSONField(help_text="form data of the facility, as it would be sent")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    message = models.TextField(blank=True, help_text="what the facility, or our own check, said")
    observation_record = models.ForeignKey(
        "tom_observations.ObservationRecord", null=True, blank=True, on_delete=models.SET_NULL, related_name="followup_requests"
    )
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.facility} {self.key[:8]} ({self.state})"


class DeadLetter(models.Model):
    """A message that could not be read: where it was, and why; the same message is kept once."""

    source = models.CharField(max_length=300, help_text="absolute path, topic, or broker and query")
    position = models.CharField(max_length=255, blank=True, help_text="partition and offset, place in an archive, or object")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes")
    size = models.PositiveBigIntegerField()
    reason = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "position", "digest"], name="alerce_unique_dead_letter")]

    def __str__(self) -> str:
        return f"{self.source} {self.position}: {self.reason[:60]}"


class Watermark(models.Model):
    """How far a broker has been polled with one query: the latest detection of its last complete answer."""

    source = models.CharField(max_length=200, unique=True, help_text="broker, survey and filters of the query")
    mjd = models.FloatField(help_text="MJD UTC")
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.source}: {self.mjd:.2f}"
