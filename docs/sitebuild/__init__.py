"""What the documentation is built with: the demo TOM, pictures of it, and references made from the code."""
