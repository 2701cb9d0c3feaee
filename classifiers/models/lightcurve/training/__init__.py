"""How the light-curve model is trained and judged; nothing that serves imports it."""
