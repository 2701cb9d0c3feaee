"""Classifiers of stamps and light curves: objects in, probabilities out. No Django."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
