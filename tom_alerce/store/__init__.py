"""Writes the plugin's tables, and nothing else does: each function is one transaction, and repeating it changes nothing."""
