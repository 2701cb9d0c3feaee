"""Catalogues of what is in the sky: one module for each, found by its file name (`broker_adapters.catalogue.CatalogueModule`)."""
