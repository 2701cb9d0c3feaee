import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tom_alerce', '0008_h_board'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('pin', 'pinned'), ('note', 'note'), ('veto', 'vetoed'), ('snooze', 'snoozed'), ('claim', 'claimed')], max_length=8)),
                ('text', models.CharField(blank=True, help_text='what a note says; why, for the others', max_length=500)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('expires', models.DateTimeField(blank=True, help_text='from then on it counts no more; null: it counts until it is undone', null=True)),
                ('undone', models.DateTimeField(blank=True, null=True)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sky_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='tom_alerce.skyobject')),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('expires', None), ('kind', 'snooze'), _negated=True), name='alerce_snooze_ends')],
            },
        ),
    ]
