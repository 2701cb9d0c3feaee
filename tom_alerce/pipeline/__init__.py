"""What is done to what comes in: the only package that knows the whole chain, bytes to requests. It holds no science.

Everything that is written is idempotent, so that any step may be repeated after a failure.
"""
