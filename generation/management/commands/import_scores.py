"""`manage.py import_scores`."""

from generation.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import scores of automatic metrics."
    kind = "scores"
