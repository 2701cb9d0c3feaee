from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tom_alerce", "0006_promoted_once")]

    operations = [
        migrations.AlterField("detection", "band", models.CharField(max_length=8)),
        migrations.AlterField("detection", "survey", models.CharField(max_length=12)),
        migrations.AlterField("surveyobject", "survey", models.CharField(max_length=12)),
    ]
