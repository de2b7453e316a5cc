"""`manage.py password_link`: for somebody who forgot their password, if the site does not send email."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode


class Command(BaseCommand):
    help = "Print a link by which an account's owner sets a new password. It works once, for a day; give it to them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name by which they sign in")
        parser.add_argument("--base-url", default="http://localhost:8000", help="where the site answers")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["name"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account {options['name']!r}.")
        parts = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
        self.stdout.write(options["base_url"].rstrip("/") + reverse("password-set", args=parts))
