"""Plug-ins of a third party, which the contract tests find under their dotted names."""
