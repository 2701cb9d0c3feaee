"""The only writer of the database: objects, detections, classifications, ranks, and the photometry of targets."""
