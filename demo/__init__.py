"""A small TOM with the plugin installed, for ``make demo`` and for the tests."""

#: Name of the superuser whom `alerce_demo` makes, and by whom it knows its own database.
USER = "demo"
