"""A TOM Toolkit plugin that merges alert streams, reclassifies them locally, ranks targets for tonight and submits requests once."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
