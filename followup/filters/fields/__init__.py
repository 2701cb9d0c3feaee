"""Fields of filters: one file for each family, with ``FIELDS``, name -> field; a new field is one new entry."""
