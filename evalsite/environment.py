"""Reads settings from the environment, and says in one go what is wrong with it."""

import difflib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

T = TypeVar("T")

BROKER_SCHEMES = ("filesystem", "redis", "rediss", "amqp", "amqps", "memory")


class Environment:
    """A reader that notes every bad variable and raises once, on `close`, with all of them.

    Parsing is the environs library's; this class adds the cure to each complaint, hides secrets in it, and
    refuses variables of our own prefix that nobody reads (a misspelt name would otherwise do nothing, silently).
    """

    def __init__(self, source: dict[str, str] | None = None) -> None:
        self._env = Env()
        self._source = os.environ if source is None else source
        self._names: set[str] = {"EVALSITE_PORT", "EVALSITE_BROWSER"}  # read by the commands, not by the settings
        self._complaints: list[str] = []

    def text(self, name: str, default: str, *, secret: bool = False) -> str:
        return self._read(name, default, lambda raw: raw, "any text", secret=secret)

    def boolean(self, name: str, *, default: bool) -> bool:
        return self._read(name, default, lambda _: self._env.bool(name), "true or false")

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        def parse(raw: str) -> int:
            if not low <= int(raw) <= high:
                raise ValueError
            return int(raw)

        return self._read(name, default, parse, f"a whole number from {low} to {high}")

    def words(self, name: str, default: list[str]) -> list[str]:
        return self._read(name, default, lambda _: self._env.list(name), "names separated by commas")

    def origins(self, name: str, default: list[str]) -> list[str]:
        def parse(_: str) -> list[str]:
            origins: list[str] = self._env.list(name)
            if not all(urlsplit(origin).scheme in ("http", "https") for origin in origins):
                raise ValueError
            return origins

        return self._read(name, default, parse, "origins such as https://rate.example.org, separated by commas")

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        def parse(raw: str) -> str:
            if raw not in choices:
                raise ValueError
            return raw

        return self._read(name, default, parse, "one of " + ", ".join(choices))

    def path(self, name: str, default: Path, meaning: str) -> Path:
        def parse(raw: str) -> Path:
            if not Path(raw).is_absolute():
                raise ValueError
            return Path(raw)

        path = self._read(name, default, parse, f"an absolute path: {meaning}")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._complain(name, str(path), f"a folder that can be made and written ({error.strerror}): {meaning}")
        return path

    def time_zone(self, name: str, default: str) -> str:
        def parse(raw: str) -> str:
            if raw not in available_timezones():
                raise ValueError
            return ZoneInfo(raw).key

        return self._read(name, default, parse, "a time zone such as Europe/Berlin")

    def database(self, name: str, default: str) -> dict[str, Any]:
        cure = "postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:////absolute/path.sqlite3"
        raw = self._source.get(name) or default
        self._names.add(name)
        try:
            if urlsplit(raw).scheme not in ("postgres", "postgresql", "sqlite"):
                raise ValueError
            from dj_database_url import parse

            return dict(parse(raw))
        except Exception:  # whatever the parser stumbles over, the reader needs the same cure
            self._complain(name, without_password(raw), cure)
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}

    def broker(self, name: str, default: str) -> str:
        def parse(raw: str) -> str:
            parts = urlsplit(raw)
            if parts.scheme not in BROKER_SCHEMES or (
                parts.scheme not in ("filesystem", "memory") and not parts.netloc
            ):
                raise ValueError
            return raw

        return self._read(name, default, parse, "redis://HOST:6379/0, amqp://… or filesystem:// (the built-in one)")

    def email(self, name: str, default: str) -> dict[str, Any]:
        from dj_email_url import parse

        def known(raw: str) -> dict[str, Any]:
            settings = dict(parse(raw))
            if "EMAIL_BACKEND" not in settings:
                raise ValueError
            return settings

        fallback = {key: value for key, value in parse(default).items() if key.isupper()}
        settings = self._read(name, fallback, known, "smtp://USER:PASSWORD@HOST:587/?ssl=True or consolemail://")
        return {key: value for key, value in settings.items() if key.isupper()}

    def close(self, *, known_prefix: str, program: str) -> None:
        """Refuse unknown variables of our prefix, then raise ImproperlyConfigured if anything was wrong."""
        for name in sorted(self._source):
            if name.startswith(known_prefix) and name not in self._names:
                near = difflib.get_close_matches(name, self._names, n=1)
                hint = f"did you mean {near[0]}?" if near else "unset it; docs/operations.md lists what exists."
                self._complaints.append(f"{name} is not a setting of evalsite: {hint}")
        if self._complaints:
            raise ImproperlyConfigured(
                f"{program or 'evalsite'} cannot start with this environment:\n  - " + "\n  - ".join(self._complaints)
            )

    def _read(self, name: str, default: T, parse: Callable[[str], T], wanted: str, *, secret: bool = False) -> T:
        self._names.add(name)
        raw = self._source.get(name, "")
        if raw == "":
            return default
        try:
            return parse(raw)
        except (ValueError, TypeError, EnvError):
            self._complain(name, "…" if secret else without_password(raw), wanted)
            return default

    def _complain(self, name: str, value: str, wanted: str) -> None:
        self._complaints.append(f"{name}={value!r} is not usable. Set it to {wanted}, or unset it.")


def without_password(url: str) -> str:
    """The same URL with its password blotted out, fit for a log."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@")))


def secret_key_from(path: Path) -> str:
    """The site's own secret: made once, kept in the data folder, readable by its owner alone."""
    try:
        return path.read_text()
    except FileNotFoundError:
        key = secrets.token_urlsafe(50)
        # O_EXCL: when two processes start at once, both end up with the one key that was written first.
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(key)
        return key
