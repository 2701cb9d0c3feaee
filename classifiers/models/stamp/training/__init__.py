"""How the stamp models are trained and judged; nothing that serves imports it."""
