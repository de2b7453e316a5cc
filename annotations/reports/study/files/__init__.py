"""A study from files. Start with `study`, which reads ratings, items, metrics and questions into a `StudyData`."""
