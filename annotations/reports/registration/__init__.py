"""A study's plan, frozen before the first answer: what it is (`plan.py`), as a document for a registry
(`documents.py`), and the deviations from it (`deviations.py`)."""
