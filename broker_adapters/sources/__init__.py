"""Sources: how bytes arrive."""
