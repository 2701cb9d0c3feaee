"""Fits and figures of merit that the trainings of several classifiers share. Serving imports nothing from here."""
