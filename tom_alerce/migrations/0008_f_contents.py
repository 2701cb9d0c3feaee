from django.db import migrations, models


def _times_of_moving(apps, schema_editor):
    """Alerts of before have left only that an object moves: the time of the first detection stands for theirs."""
    table = apps.get_model("tom_alerce", "SurveyObject").objects
    table.filter(moving=False).update(cleared=True)
    moving = list(table.filter(moving=True, first_mjd__isnull=False).only("pk", "first_mjd"))
    for row in moving:
        row.moving_mjd = [round(row.first_mjd, 1)]
    table.bulk_update(moving, ["moving_mjd"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [
        ("tom_alerce", "0008_g_age_and_count"),
    ]

    operations = [
        migrations.AddField(
            model_name="classification",
            name="mjd",
            field=models.FloatField(
                help_text="time of the alert that a broker's label is about, MJD UTC; null for our own classifiers", null=True, blank=True
            ),
        ),
        migrations.AddField(
            model_name="skyobject",
            name="placed_dec",
            field=models.FloatField(help_text="degrees", null=True, blank=True),
        ),
        migrations.AddField(
            model_name="skyobject",
            name="placed_ra",
            field=models.FloatField(help_text="degrees; where we put the target that we made of it; null if we made none", null=True, blank=True),
        ),
        migrations.AddField(
            model_name="stamps",
            name="digest",
            field=models.CharField(blank=True, default="", help_text="of metadata and images; empty in older rows", max_length=64),
        ),
        migrations.AddField(
            model_name="surveyobject",
            name="moving_mjd",
            field=models.JSONField(blank=True, default=list, help_text="times of alerts that lay at a known solar-system object, MJD UTC to 0.1 d"),
        ),
        migrations.AddField(
            model_name="surveyobject",
            name="cleared",
            field=models.BooleanField(default=False, help_text="an alert of it lay at no known solar-system object"),
        ),
        migrations.AlterField(
            model_name="surveyobject",
            name="evidence",
            field=models.CharField(blank=True, help_text="digest of the contents of its measurements and stamps", max_length=64),
        ),
        migrations.AlterField(
            model_name="surveyobject",
            name="moving",
            field=models.BooleanField(default=False, help_text="a known solar-system object (`store.moving`)"),
        ),
        migrations.RunPython(_times_of_moving, migrations.RunPython.noop, elidable=True),
    ]
