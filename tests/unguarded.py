"""The setting that switches every guard off, for tests that are about something else."""

from broker_adapters import plugins

UNGUARDED = dict.fromkeys(plugins.names("tom_alerce.requests.guards"))
