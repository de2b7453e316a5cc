"""Reads settings from the environment, and reports everything that is wrong with it at once."""

import difflib
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError, validate

from evalsite.endpoints import KEY_PREFIX, key_variable, parse_endpoints, without_keys

T = TypeVar("T")

BROKER_SCHEMES = ("filesystem", "redis", "rediss", "amqp", "amqps", "memory")


# Read by commands and by gunicorn's configuration through this module, not by the settings.
READ_BY_COMMANDS = {
    "EVALSITE_BROWSER": "the tests' Chromium",
    "EVALSITE_HOST": "the address that `serve` listens on",
    "EVALSITE_PORT": "the port that `serve` tries first",
    "EVALSITE_WEB_WORKERS": "web server processes",
    "EVALSITE_WEB_THREADS": "threads in each of them",
    "EVALSITE_TASK_PROCESSES": "processes of the worker that `serve` starts",
}


class MappingEnv(Env):
    """The environs reader over any mapping, so that a test need not change the process's own environment."""

    def __init__(self, source: Mapping[str, str]) -> None:
        super().__init__()
        self._source = source

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._source.get(env_key, default)


class Environment:
    """A reader that collects every bad variable and raises once, on `close`, with all of them.

    The environs library parses. This class adds the cure to each complaint, hides secrets in it, and
    refuses variables of our own prefix that nobody reads (a misspelt name would otherwise do nothing, silently).
    An empty variable counts as unset. `source` is the process's environment unless a mapping is given.
    """

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        self._source = os.environ if source is None else source
        self._env = MappingEnv(self._source)
        self._names: set[str] = set(READ_BY_COMMANDS)
        self._complaints: list[str] = []

    @property
    def names(self) -> frozenset[str]:
        """Every variable asked for so far, and those that only commands read: what docs/operations.md must list."""
        return frozenset(self._names)

    def text(self, name: str, default: str, *, secret: bool = False) -> str:
        shown = hidden if secret else without_password
        return self._read(name, default, lambda: self._env.str(name), "any text", shown=shown)

    def boolean(self, name: str, *, default: bool) -> bool:
        return self._read(name, default, lambda: self._env.bool(name), "true or false")

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        return self._read(
            name,
            default,
            lambda: self._env.int(name, validate=validate.Range(low, high)),
            f"a whole number from {low} to {high}",
        )

    def words(self, name: str, default: list[str]) -> list[str]:
        return self._read(name, default, lambda: self._env.list(name, subcast=str.strip), "names separated by commas")

    def origins(self, name: str, default: list[str]) -> list[str]:
        def parse() -> list[str]:
            origins = self._env.list(name, subcast=str.strip)
            if not all(urlsplit(origin).scheme in ("http", "https") and urlsplit(origin).netloc for origin in origins):
                raise ValueError
            return origins

        return self._read(name, default, parse, "origins such as https://rate.example.org, separated by commas")

    def folders(self, name: str) -> list[str]:
        """Addresses of folders: only files in them may be fetched."""

        def parse() -> list[str]:
            folders = self._env.list(name, subcast=str.strip)
            for folder in folders:
                parts = urlsplit(folder)
                if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.endswith("/"):
                    raise ValueError
                if parts.query or parts.fragment or parts.username is not None or ".." in parts.path:
                    raise ValueError
            return folders

        return self._read(name, [], parse, "folders such as https://images.example.org/runs/, separated by commas")

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        return self._read(
            name,
            default,
            lambda: self._env.str(name, validate=validate.OneOf(choices)),
            "one of " + ", ".join(choices),
        )

    def path(self, name: str, default: Path, meaning: str) -> Path:
        def parse() -> Path:
            path: Path = self._env.path(name)
            if not path.is_absolute():
                raise ValueError
            return path

        path = self._read(name, default, parse, f"an absolute path: {meaning}")
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold password hashes and sign-in secrets
        except OSError as error:
            self._complain(name, str(path), f"a folder that can be made and written ({error.strerror}): {meaning}")
        return path

    def time_zone(self, name: str, default: str) -> str:
        def parse() -> str:
            zone: str = self._env.str(name, validate=validate.OneOf(available_timezones()))
            return ZoneInfo(zone).key

        return self._read(name, default, parse, "a time zone such as Europe/Berlin")

    def database(self, name: str, default: str) -> dict[str, Any]:
        from dj_database_url import parse as parse_url

        def parse() -> dict[str, Any]:
            url: str = self._env.str(name)
            if urlsplit(url).scheme not in ("postgres", "postgresql", "sqlite"):
                raise ValueError
            # The parser raises its own, undocumented kinds of error: whatever it is, the cure is the same.
            try:
                return dict(parse_url(url))
            except Exception as error:
                raise ValueError from error

        return self._read(
            name,
            dict(parse_url(default)),
            parse,
            "postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:////absolute/path.sqlite3",
        )

    def broker(self, name: str, default: str) -> str:
        def parse() -> str:
            url: str = self._env.str(name)
            parts = urlsplit(url)
            if parts.scheme not in BROKER_SCHEMES or (
                parts.scheme not in ("filesystem", "memory") and not parts.netloc
            ):
                raise ValueError
            return url

        url = self._read(name, default, parse, "redis://HOST:6379/0, amqp://… or filesystem:// (the built-in one)")
        # Celery wants a host in every address, and warns at each connection where there can be none.
        return f"{url}localhost" if url in ("filesystem://", "memory://") else url

    def device(self, name: str, default: str) -> str:
        def parse() -> str:
            device: str = self._env.str(name, validate=validate.Regexp(re.compile(r"(auto|cpu|cuda(:\d{1,3})?)\Z")))
            return device

        return self._read(name, default, parse, "auto, cpu, cuda, or cuda:N for the device of that number")

    def endpoints(self, name: str) -> dict[str, tuple[str, str]]:
        """Addresses of model servers by name, each with its key, which has a variable of its own and may be missing.

        A key for an endpoint that the list does not name is refused: it would do nothing, silently.
        """
        none: dict[str, str] = {}
        urls = self._read(
            name,
            none,
            lambda: parse_endpoints(self._env.list(name, subcast=str.strip)),
            "name=URL,name=URL such as hosted=https://llm.example.org/v1,local=http://127.0.0.1:8080/v1 (names: each "
            f"once, lower-case letters, digits, dashes; keys: apart, in {KEY_PREFIX}HOSTED)",
            shown=without_keys,
        )
        readable = bool(urls) or not self._source.get(name)
        endpoints = {each: (url, self.text(key_variable(each), "", secret=True)) for each, url in urls.items()}
        for orphan in sorted(set(self._source) - self._names):
            if orphan.startswith(KEY_PREFIX):
                self._names.add(orphan)
                if readable and self._source[orphan]:
                    self._complaints.append(
                        f"{orphan} belongs to no endpoint: add the endpoint to {name}, or unset the key."
                    )
        return endpoints

    def email(self, name: str, default: str) -> dict[str, Any]:
        from dj_email_url import parse as parse_url

        def parse() -> dict[str, Any]:
            settings = dict(parse_url(self._env.str(name)))
            if "EMAIL_BACKEND" not in settings:
                raise ValueError
            return settings

        wanted = "smtp://USER:PASSWORD@HOST:587/?ssl=True or console://"
        settings = self._read(name, dict(parse_url(default)), parse, wanted)
        return {key: value for key, value in settings.items() if key.isupper()}

    def close(self, *, program: str, known_prefix: str | None = None) -> None:
        """Raise ImproperlyConfigured if anything was wrong. With a prefix, refuse its variables that nobody reads."""
        for name in sorted(self._source):
            if known_prefix and name.startswith(known_prefix) and name not in self._names:
                near = difflib.get_close_matches(name, self._names, n=1)
                hint = f"did you mean {near[0]}?" if near else "unset it; docs/operations.md lists what exists."
                self._complaints.append(f"{name} is not a setting of evalsite: {hint}")
        if self._complaints:
            raise ImproperlyConfigured(
                f"{program or 'evalsite'} cannot start with this environment:\n  - " + "\n  - ".join(self._complaints)
            )

    def _read(
        self,
        name: str,
        default: T,
        parse: Callable[[], T],
        wanted: str,
        *,
        shown: Callable[[str], str] | None = None,
    ) -> T:
        self._names.add(name)
        raw = self._source.get(name, "")
        if raw == "":
            return default
        try:
            return parse()
        except (ValueError, TypeError, EnvError):
            self._complain(name, (shown or without_password)(raw), wanted)
            return default

    def _complain(self, name: str, value: str, wanted: str) -> None:
        self._complaints.append(f"{name}={value!r} is not usable. Set it to {wanted}, or unset it.")


def hidden(value: str) -> str:
    return "…"


def without_password(url: str) -> str:
    """The same URL with its password masked, safe for a log."""
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL at all: a password could be anywhere in it
        return "…"
    if not parts.password:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@")))


def secret_key_from(path: Path) -> str:
    """The site's own secret: made once, kept in the data folder, readable only by its owner."""
    with suppress(FileNotFoundError):
        return path.read_text()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        # When two processes start at once, both end up with the key that was there first, and neither sees half of it.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text()


def keep_private(database: Path) -> None:
    """Create SQLite's file before SQLite does, without access for other accounts: it has passwords and sessions.

    The files next to it, its log among them, get the rights of the database.
    """
    if not database.is_absolute() or not database.parent.is_dir():
        return
    with suppress(OSError):  # a file of another account is that account's business
        os.close(os.open(database, os.O_CREAT, 0o600))
        mode = database.stat().st_mode
        if mode & 0o007:
            database.chmod(mode & 0o770)
