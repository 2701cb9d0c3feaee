"""Training and evaluation of the posterior; nothing here is imported by what serves it."""
