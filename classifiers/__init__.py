"""Objects in, probabilities out: stamp and light-curve classifiers. No Django."""
