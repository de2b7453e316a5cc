"""`manage.py import_items`."""

from generation.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import images that are held elsewhere, known by key, prompt and method, into a prompt set."
    kind = "items"
