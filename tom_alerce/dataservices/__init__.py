"""Our brokers in the query pages of the TOM: one file each, under names that replace none of the toolkit's own services.

They turn a person's question into targets, and bring new photometry to targets that are there. The survey objects behind our pages come
from `tom_alerce.pipeline` instead.
"""
