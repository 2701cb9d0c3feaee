"""Steps of the chain from packets to ranked targets: the only package that knows all of it, and holds no science.

Everything that is written is idempotent, so that any step may be repeated after a failure.
"""
