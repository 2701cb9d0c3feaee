"""Classes of objects that do not come from a classifier: of the TOM, of TNS, of TNS names, and of people who labelled them.

What brokers' classifiers say is no evidence here: none says that it has it from a spectrum.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

import numpy as np
from django.db.models import Q
from tom_targets.models import TargetExtra

from broker_adapters import healpix, tns
from tom_alerce.models import SkyObject, SurveyObject, TnsName, TnsObject
from tom_alerce.store import labels
from tom_alerce.store import tns as table
from tom_alerce.store.sql import chunks

#: Keys of a target's extra fields in which a TOM keeps a class.
KEYS = ("classification", "class", "spectral type", "spectral_type", "tns class", "tns_class")
#: Beginnings of names that say what a spectrum has shown.
_TELLING = tuple(f"{prefix} " for prefix in tns.PREFIXES if prefix != "AT")


def of(skies: Iterable[SkyObject]) -> dict[int, str]:
    """Class of each object that has one: by the TOM's target, the table of TNS, the prefix of a TNS name, or the latest label by a person.

    Whoever gives many objects gives them with target and survey objects read along.
    """
    known = {sky.pk: sky for sky in skies}
    targets = {sky.target_id: key for key, sky in known.items() if sky.target_id is not None}
    found: dict[int, str] = {}
    for part in chunks(targets):
        for extra in TargetExtra.objects.filter(target__in=part):
            if extra.key.lower() in KEYS and extra.value:
                found[targets[extra.target_id]] = str(extra.value)
    for key, one in table.of(list(known.values())).items():
        if one.type:
            found.setdefault(key, one.type)
    for key, sky in known.items():
        names = [str(sky), *(name for member in sky.survey_objects.all() for name in member.names)]
        name = tns.best([*names, sky.target.name] if sky.target is not None else names) or ""
        if name.startswith(_TELLING):
            found.setdefault(key, name.split()[0])
    for part in chunks(known):
        for label in labels.counting().filter(sky_object__in=part):
            found.setdefault(label.sky_object_id, label.label)
    return found


def with_one(since: float) -> set[int]:
    """Keys of the sky objects seen since an MJD that may have a class (`of` says which); no object is read to find them."""
    seen = SkyObject.objects.filter(last_mjd__gte=since, moving=False)
    keys = reduce(or_, (Q(target__targetextra__key__iexact=key) for key in KEYS))
    titles = reduce(or_, (Q(target__name__startswith=telling.strip()) for telling in _TELLING))
    found = set(seen.filter(keys | titles).values_list("pk", flat=True))
    found.update(seen.filter(labels__in=labels.counting()).values_list("pk", flat=True))
    typed = TnsObject.objects.exclude(type="")
    places = np.array(list(typed.values_list("ra", "dec"))).reshape(-1, 2)
    for cells in chunks(healpix.touched(places[:, 0], places[:, 1], table.RADIUS)) if len(places) else ():
        found.update(seen.filter(healpix__in=cells).values_list("pk", flat=True))
    named = TnsName.objects.filter(tns_object__in=typed).values_list("name", flat=True)
    for names in chunks(named.iterator()):
        found.update(SurveyObject.objects.filter(object_id__in=names, sky_object__in=seen).values_list("sky_object", flat=True))
    return found
