"""`manage.py import_prompts`."""

from generation.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import prompts (InterActing, AcT2I, or a table with a column prompt) into a prompt set."
    kind = "prompts"
