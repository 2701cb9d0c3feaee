"""Brokers: one file each, with a class ``Client`` (see `broker_adapters.records.Broker`) and pure functions that read its answers."""
