"""Bytes in, normalised records out: surveys, brokers and the sources that carry them. No Django, no TensorFlow."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
