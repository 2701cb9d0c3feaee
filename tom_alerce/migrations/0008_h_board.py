from itertools import groupby

import django.db.models.deletion
import numpy as np
from django.db import migrations, models

#: Days between a ranking's time and its making beyond which it answers "what if".
SUPPOSED = 1 / 24
MJD_OF_UNIX_ZERO = 40587.0


def pack(apps, schema_editor):
    """Pack the terms and visibilities of each ranking's places into its row, and mark rankings for supposed times."""
    rankings = apps.get_model("tom_alerce", "Ranking").objects
    ranks = apps.get_model("tom_alerce", "Rank").objects.order_by("ranking", "place", "pk")
    rows = ranks.values_list("ranking", "place", "terms", "visibility").iterator(chunk_size=500)
    for key, places in groupby(rows, key=lambda row: row[0]):
        rankings.filter(pk=key).update(packed=packed([place[1:] for place in places]))
    for key, now, created in rankings.values_list("pk", "now", "created"):
        if abs(created.timestamp() / 86400 + MJD_OF_UNIX_ZERO - now) > SUPPOSED:
            rankings.filter(pk=key).update(supposed=True)


def packed(rows):
    from tom_alerce.models.places import Places

    n = max(place for place, _, _ in rows)
    names = list(dict.fromkeys(name for _, terms, _ in rows for name in terms))
    times, moon = next(((v["times"], v.get("moon_altitude")) for _, _, v in rows if v.get("times")), ([], []))
    t = len(times)
    scores = {name: np.zeros(n, np.float32) for name in names}
    reasons = {name: [""] * n for name in names}
    altitude, separation = np.full((n, t), np.nan), np.full(n, np.nan)
    for place, terms, visibility in rows:
        for name, term in terms.items():
            scores[name][place - 1], reasons[name][place - 1] = term["score"], term["reason"]
        if t and len(visibility.get("altitude", ())) == t:
            altitude[place - 1] = visibility["altitude"]
            separation[place - 1] = np.nan if visibility.get("moon_separation") is None else visibility["moon_separation"]
    moon = moon if moon and len(moon) == t else [np.nan] * t
    return Places(scores, reasons, np.array(times, float), np.array(moon, float), altitude, separation).pack()


class Migration(migrations.Migration):
    dependencies = [("tom_alerce", "0008_e_intake")]

    operations = [
        migrations.AlterModelOptions(
            name="skyobject",
            options={
                "permissions": [
                    ("view_board", "May see what surveys and brokers sent: board, objects, review, drift"),
                    ("decide", "May promote, link, unlink and dismiss"),
                    ("link_far", "May link survey objects that are more than 10 arcseconds apart"),
                    ("request", "May draft requests and have them checked by the facility"),
                    ("approve", "May approve a checked request to be sent (nothing is sent yet)"),
                    ("configure", "May see dead letters and what else concerns the running of the TOM"),
                ],
                "verbose_name": "sky object",
            },
        ),
        migrations.AddField("matchcandidate", "decided_at", models.DateTimeField(blank=True, help_text="when a person decided", null=True)),
        migrations.AddField(
            "surveyobject",
            "decided_at",
            models.DateTimeField(blank=True, help_text="when a person linked or unlinked it", null=True),
        ),
        migrations.AddField(
            "ranking", "packed", models.BinaryField(default=b"", help_text="reasons and visibility of all places: tom_alerce.models.places")
        ),
        migrations.AddField(
            "ranking",
            "supposed",
            models.BooleanField(
                default=False, help_text="made for another time than that of its making: shown to who asks for it only"
            ),
        ),
        migrations.RunPython(pack, migrations.RunPython.noop),
        migrations.RemoveField("rank", "terms"),
        migrations.RemoveField("rank", "visibility"),
        migrations.AlterField(
            "rank",
            "ranking",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="ranks", to="tom_alerce.ranking"
            ),
        ),
        migrations.AlterField("ranking", "weights", models.JSONField(help_text="term -> weight")),
        migrations.AddIndex(
            "classification",
            models.Index(condition=models.Q(("label", ""), _negated=True), fields=["-created", "-id"], name="alerce_labelled"),
        ),
        migrations.AddIndex(
            "matchcandidate", models.Index(condition=models.Q(("decided", False)), fields=["-id"], name="alerce_undecided")
        ),
        migrations.AlterField("deadletter", "created", models.DateTimeField(auto_now_add=True, db_index=True)),
        migrations.AddIndex("rank", models.Index(fields=["-ranking", "place"], name="alerce_rank_place")),
        migrations.AddIndex("ranking", models.Index(fields=["site", "supposed", "-now", "-id"], name="alerce_current_ranking")),
    ]
