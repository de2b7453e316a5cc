"""`manage.py import_images`."""

from generation.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import images, from a folder or a zip with a manifest, into a prompt set."
    kind = "images"
