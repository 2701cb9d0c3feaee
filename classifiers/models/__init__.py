"""The classifiers: one module or package each, with a class ``Model``. Shared machinery is in ``classifiers``."""
