"""Training and evaluation of the stamp models; nothing that serves imports it."""
