"""A TOM Toolkit plugin: merges alert streams, reclassifies them locally, ranks targets for tonight, drafts and checks requests."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
