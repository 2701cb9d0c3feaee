from django.db import migrations, models
from django.db.models import OuterRef, Subquery, deletion


def fill(apps, schema_editor):
    """Until now a request was for the target of its sky object."""
    skies = apps.get_model("tom_alerce", "SkyObject").objects.filter(pk=OuterRef("sky_object"))
    apps.get_model("tom_alerce", "FollowupRequest").objects.update(target=Subquery(skies.values("target")))


class Migration(migrations.Migration):

    dependencies = [
        ('tom_alerce', '0003_details_of_a_classification'),
    ]

    operations = [
        migrations.AddField(
            model_name='followuprequest',
            name='target',
            field=models.ForeignKey(
                blank=True, help_text='for which it was made; who may see it may see the request', null=True,
                on_delete=deletion.SET_NULL, related_name='+', to='tom_targets.basetarget',
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
