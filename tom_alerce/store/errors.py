"""What the store refuses, one error: the message is for the person who asked."""


class StoreError(Exception):
    """The tables would not mean anything after this change; nothing was written."""
