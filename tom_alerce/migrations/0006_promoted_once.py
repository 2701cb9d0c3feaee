from django.db import migrations, models


def fill(apps, schema_editor):
    """What is a target now has been one."""
    apps.get_model("tom_alerce", "SkyObject").objects.filter(target__isnull=False).update(promoted=True)


class Migration(migrations.Migration):

    dependencies = [
        ('tom_alerce', '0005_explanations_and_drift'),
    ]

    operations = [
        migrations.AddField(
            model_name='skyobject',
            name='promoted',
            field=models.BooleanField(default=False, help_text='has been a target: if that is deleted, no rule makes it one again'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
