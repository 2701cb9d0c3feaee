"""The only writer of the plugin's tables: every function is one transaction, and may be repeated without effect."""
