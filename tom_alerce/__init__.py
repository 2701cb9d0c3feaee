"""A TOM Toolkit plugin that merges alert streams, reclassifies them locally, ranks targets for tonight and submits requests once."""
