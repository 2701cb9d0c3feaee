"""Training and evaluation of the light-curve model; nothing that serves imports it."""
