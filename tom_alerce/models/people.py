"""What people say of sky objects beside marks: what it is, tags, whom a note concerns, files."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tom_alerce.models.marks import Mark
from tom_alerce.models.sky import SkyObject


class Label(models.Model):
    """What one person says that an object is, one of `classifiers.taxonomy`; undone it counts no more, and is kept.

    A scoreboard counts labels that are not undone, and an export for training takes those with ``evidence`` as the state of then.
    """

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="labels")
    label = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(max_length=500, blank=True, help_text="why: a spectrum, a period")
    evidence = models.CharField(max_length=64, blank=True, help_text="of the object when it was labelled")
    created = models.DateTimeField(auto_now_add=True)
    undone = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sky_object", "author"], condition=models.Q(undone=None), name="alerce_one_label_each")
        ]

    def __str__(self) -> str:
        return f"{self.label} by {self.by}"

    @property
    def by(self) -> str:
        """Name of its author; accounts are deleted, labels are not."""
        return "a former user" if self.author is None else self.author.get_username()


class Tag(models.Model):
    """A word on an object, by which it is found again; the same for everybody."""

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="tags")
    name = models.SlugField(max_length=40)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["sky_object", "name"], name="alerce_unique_tag")]

    def __str__(self) -> str:
        return self.name


class Mention(models.Model):
    """A mark names a person, as @name in its text; kept until that person has read it."""

    mark = models.ForeignKey(Mark, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    read = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["mark", "user"], name="alerce_unique_mention")]

    def __str__(self) -> str:
        return f"{self.user} in {self.mark}"


class Attachment(models.Model):
    """A file on an object, kept in the database: it is saved and moved with it, and served to those alone who may see it."""

    sky_object = models.ForeignKey(SkyObject, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content = models.BinaryField()
    size = models.PositiveIntegerField(help_text="bytes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
