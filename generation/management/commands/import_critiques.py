"""`manage.py import_critiques`."""

from generation.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import critiques of images with their claims."
    kind = "critiques"
