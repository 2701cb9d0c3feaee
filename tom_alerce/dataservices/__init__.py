"""Data services: our brokers on the query pages of the TOM, one file each, under names that replace none of the toolkit's.

They make targets from a person's query, and fetch new photometry for existing targets. The survey objects of our pages come from
`tom_alerce.pipeline` instead.
"""
