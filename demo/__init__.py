"""A small TOM with the plugin installed, for ``make demo`` and for the tests."""
