"""Objects in, probabilities out: stamp and light-curve classifiers. No Django."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
