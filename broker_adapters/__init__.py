"""Bytes in, normalised records out: surveys, brokers and the sources that carry them. No Django, no TensorFlow."""
