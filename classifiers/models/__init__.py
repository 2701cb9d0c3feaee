"""The classifiers: one module or package each with a class ``Model``; nothing else is in here."""
