"""Fitting and judging that the trainings of several classifiers share; nothing that serves imports it."""
