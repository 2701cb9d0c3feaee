import django.db.models.deletion
import django.utils.timezone
import tom_alerce.models.requests
from django.conf import settings
from django.db import migrations, models


#: Names of states before and after.
RENAMED = {"submitting": "sending", "uncertain": "unknown"}


def rename_and_mark(apps, schema_editor):
    requests = apps.get_model("tom_alerce", "FollowupRequest").objects
    for old, new in RENAMED.items():
        requests.filter(state=old).update(state=new)
    for key in requests.values_list("pk", flat=True):
        requests.filter(pk=key).update(token=tom_alerce.models.requests.new_token())


class Migration(migrations.Migration):

    dependencies = [
        ('tom_alerce', '0010_c_marks'),
        ('tom_observations', '0016_alter_facility_options'),
        ('tom_targets', '0031_basetarget_shared_by_basetarget_shared_from'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RequestEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('time', models.DateTimeField(default=django.utils.timezone.now)),
                ('before', models.CharField(blank=True, choices=[('draft', 'draft'), ('validated', 'validated, not sent'), ('invalid', "refused by the facility's own check"), ('approved', 'approved, not sent yet'), ('sending', 'being sent'), ('unknown', 'sent, no answer: may exist at the facility'), ('submitted', 'submitted'), ('scheduled', 'scheduled'), ('observed', 'observed'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('expired', 'its window has passed')], help_text="'' for the first", max_length=12)),
                ('after', models.CharField(choices=[('draft', 'draft'), ('validated', 'validated, not sent'), ('invalid', "refused by the facility's own check"), ('approved', 'approved, not sent yet'), ('sending', 'being sent'), ('unknown', 'sent, no answer: may exist at the facility'), ('submitted', 'submitted'), ('scheduled', 'scheduled'), ('observed', 'observed'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('expired', 'its window has passed')], max_length=12)),
                ('reason', models.TextField(blank=True)),
                ('payload', models.JSONField(blank=True, help_text='form data if it was changed or checked; what was sent if it was sent', null=True)),
                ('answer', models.TextField(blank=True, help_text='of the facility, as it came')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AlterModelOptions(
            name='skyobject',
            options={'permissions': [('view_board', 'May see what surveys and brokers sent: board, objects, review, drift'), ('decide', 'May promote, link, unlink and dismiss'), ('link_far', 'May link survey objects that are more than 10 arcseconds apart'), ('request', 'May draft requests and have them checked by the facility'), ('approve', 'May approve a checked request to be sent'), ('send', 'May send approved requests to facilities, and cancel them there'), ('override', 'May pass a guard that stops a request, with a reason'), ('configure', 'May see dead letters and what else concerns the running of the TOM')], 'verbose_name': 'sky object'},
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='end',
            field=models.FloatField(blank=True, help_text='MJD UTC: end of the window', null=True),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='instrument',
            field=models.CharField(blank=True, help_text="as the facility names it; '' for requests of older versions", max_length=64),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='joined',
            field=models.ForeignKey(blank=True, help_text='the equivalent request that is pending instead', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tom_alerce.followuprequest'),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='observation_id',
            field=models.CharField(blank=True, help_text='at the facility', max_length=255),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='priority',
            field=models.FloatField(default=0.0, help_text='ranking score in [0, 1]; the highest of all requests that were joined with it'),
        ),
        migrations.AlterField(
            model_name='followuprequest',
            name='payload',
            field=models.JSONField(help_text='form data of the facility'),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='prepared',
            field=models.JSONField(blank=True, help_text="what is sent, as the facility's form made it of the payload when it was valid", null=True),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='token',
            field=models.CharField(default=tom_alerce.models.requests.new_token, help_text='travels with it to the facility; another when it is drafted again after it has ended', max_length=32),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='sender',
            field=models.ForeignKey(blank=True, help_text='who has told it to be sent; it is sent again under that name while the facility has not got it', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='sent',
            field=models.DateTimeField(blank=True, help_text='begin of the latest attempt with this token; null before the first', null=True),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='start',
            field=models.FloatField(blank=True, help_text='MJD UTC: begin of the window in which it may be observed', null=True),
        ),
        migrations.AddField(
            model_name='followuprequest',
            name='wanted',
            field=models.BooleanField(default=False, help_text='told to be sent, and not with the facility yet'),
        ),
        migrations.AlterField(
            model_name='followuprequest',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('validated', 'validated, not sent'), ('invalid', "refused by the facility's own check"), ('approved', 'approved, not sent yet'), ('sending', 'being sent'), ('unknown', 'sent, no answer: may exist at the facility'), ('submitted', 'submitted'), ('scheduled', 'scheduled'), ('observed', 'observed'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('expired', 'its window has passed')], default='draft', max_length=12),
        ),
        migrations.RunPython(rename_and_mark, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name='followuprequest',
            index=models.Index(fields=['state', 'sky_object'], name='alerce_request_state'),
        ),
        migrations.AddConstraint(
            model_name='followuprequest',
            constraint=models.UniqueConstraint(condition=models.Q(('observation_id', ''), _negated=True), fields=('facility', 'observation_id'), name='alerce_unique_observation'),
        ),
        migrations.AddField(
            model_name='requestevent',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='tom_alerce.followuprequest'),
        ),
        migrations.AddField(
            model_name='requestevent',
            name='user',
            field=models.ForeignKey(blank=True, help_text='null: the TOM itself', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
    ]
