from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tom_alerce", "0007_width_of_names")]

    operations = [
        migrations.AddField(
            "skyobject",
            "survey_first_mjd",
            models.FloatField(null=True, help_text="first detection that a survey states, if earlier than first_mjd, MJD UTC"),
        ),
        migrations.AddField(
            "skyobject",
            "survey_n_detections",
            models.PositiveIntegerField(
                default=0, help_text="detections that surveys state, with those here of surveys that state none"
            ),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_first_mjd",
            models.FloatField(null=True, help_text="first detection that the survey states, MJD UTC"),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_last_mjd",
            models.FloatField(null=True, help_text="latest detection that the survey states, MJD UTC"),
        ),
        migrations.AddField(
            "surveyobject", "survey_n_detections", models.PositiveIntegerField(null=True, help_text="detections that the survey states")
        ),
        migrations.AddField(
            "surveyobject",
            "survey_n_images",
            models.PositiveIntegerField(null=True, help_text="images of the place that the survey states"),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_doubts",
            models.JSONField(default=dict, blank=True, help_text="reason -> MJD of a date that is not believed"),
        ),
    ]
