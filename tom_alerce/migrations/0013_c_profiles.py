import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tom_alerce', '0011_d_requests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('body', models.TextField(help_text='JSON as followup.profiles.Profile.to_json writes it; text, so that terms keep their order')),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('active', models.BooleanField(default=False, help_text='in use; where no version of a name is, the shipped one is')),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('name', 'version'), name='alerce_unique_profile'), models.UniqueConstraint(condition=models.Q(('active', True)), fields=('name',), name='alerce_one_active_profile')],
            },
        ),
    ]
