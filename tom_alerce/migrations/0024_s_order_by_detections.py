from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tom_alerce", "0022_q_filters"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="skyobject",
            index=models.Index(fields=["n_detections", "id"], name="alerce_n_detections"),
        ),
    ]
