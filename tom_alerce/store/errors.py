"""Error of the store: its message is for the person who asked for the change."""


class StoreError(Exception):
    """The change would leave the tables without meaning; nothing was written."""
