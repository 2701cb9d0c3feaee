"""Simulation of survey data: labelled, seeded, every constant with its source. For training, the demo and tests only."""
