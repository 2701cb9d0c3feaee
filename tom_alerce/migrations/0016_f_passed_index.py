from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the table of light rows anew, smaller; no release has had it."""

    dependencies = [
        ('tom_alerce', '0017_g_hosts'),
    ]

    operations = [
        migrations.DeleteModel(name='PassedAlert'),
        migrations.CreateModel(
            name='PassedAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mjd', models.FloatField(help_text='MJD UTC')),
                ('ra', models.FloatField(help_text='degrees, ICRS')),
                ('dec', models.FloatField(help_text='degrees, ICRS')),
                ('healpix', models.BigIntegerField(help_text='nested index of order 12')),
                ('probability', models.FloatField(default=0.0)),
                ('survey', models.CharField(max_length=12)),
                ('object_id', models.CharField(max_length=64)),
                ('label', models.CharField(blank=True, help_text='most probable class by the classifier that the rules ask', max_length=16)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('healpix', 'mjd', 'object_id'), name='alerce_unique_passed_alert')
                ],
            },
        ),
    ]
