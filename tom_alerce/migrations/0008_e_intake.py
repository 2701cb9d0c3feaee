import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tom_alerce", "0008_f_contents")]

    operations = [
        migrations.CreateModel(
            name="AwaitedObject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("survey", models.CharField(max_length=12)),
                ("object_id", models.CharField(max_length=64)),
                ("source", models.CharField(help_text="topic, or broker and query, that named it", max_length=300)),
                ("reason", models.TextField()),
                ("named", models.DateTimeField(help_text="when it was last named")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("survey", "object_id"), name="alerce_unique_awaited_object")],
            },
        ),
        migrations.CreateModel(
            name="WithdrawnMeasurement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_id", models.CharField(max_length=48)),
                (
                    "survey_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="withdrawn", to="tom_alerce.surveyobject"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("survey_object", "source_id"), name="alerce_unique_withdrawn")],
            },
        ),
    ]
