"""`manage.py remove_uploads`: free space by removing the files of old imports."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from generation.services.imports import upload_retention


class Command(BaseCommand):
    help = (
        "Remove the uploaded files and lists of refused rows of imports that ended long ago. What was imported stays; "
        "such an import can no longer be repeated without its file."
    )
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, required=True, help="remove files of imports that ended at least this many days ago"
        )
        parser.add_argument("--dry-run", action="store_true", help="only report how many imports this affects")

    def handle(self, *, days: int, dry_run: bool, **options: Any) -> None:
        if days < 0:
            raise CommandError("--days must be 0 or more.")
        than = timezone.now() - timedelta(days=days)
        n_imports = upload_retention.older(than=than)
        if dry_run:
            self.stdout.write(f"Imports whose files would be removed: {n_imports}.")
            return
        removed = upload_retention.remove_older(than=than)
        self.stdout.write(
            f"Files removed: {removed.n_files} ({removed.n_bytes / 2**20:.1f} MB), of imports: {n_imports}."
        )
