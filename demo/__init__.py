"""A small TOM with the plugin installed: what ``make demo`` runs, and what the tests run in."""
