"""Checks that find faults of an installation before they do harm.

Each check has an id, by which `SILENCED_SYSTEM_CHECKS` can name it, and says what to do. docs/operations.md lists
them.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from evalsite.endpoints import key_variable
from evalsite.requests.catalogues import SOURCES, outdated

ENOUGH_BYTES = 500 * 2**20
MOUNTS = Path("/proc/self/mounts")
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "glusterfs", "ceph", "afs"}
CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_S3_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def public_hosts() -> list[str]:
    """The allowed hosts by which people on other machines could reach the site."""
    return [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register
def data_folder_can_be_written(
    app_configs: Sequence[Any] | None, *, enough_bytes: int = ENOUGH_BYTES, **_: Any
) -> list[CheckMessage]:
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR):
            pass
    except OSError as error:
        return [
            Error(
                f"The data folder {settings.DATA_DIR} cannot be written: {error.strerror}.",
                hint="Let the user who runs the site write to it, or set EVALSITE_DATA_DIR to another folder.",
                id="evalsite.E001",
            )
        ]
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < enough_bytes:
        return [
            Warning(
                f"Only {free // 2**20} MB are free in the data folder {settings.DATA_DIR}.",
                hint="Make room before the disk is full: from then on no answer could be saved.",
                id="evalsite.W001",
            )
        ]
    return []


@register
def translations_are_those_of_their_sources(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    folder = Path(settings.LOCALE_PATHS[0])
    languages = ", ".join(outdated(SOURCES, folder))
    if not languages:
        return []
    return [
        Warning(
            f"Translations in {folder} are missing or older than this version, so some pages come in English: "
            f"{languages}.",
            hint="Give the folder to the user who runs the site, and restart.",
            id="evalsite.W010",
        )
    ]


@register(Tags.security)
def data_folder_is_private(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """The folder that the site creates is private; one that existed before, or was copied, may not be."""
    try:
        mode = settings.DATA_DIR.stat().st_mode
    except OSError:
        return []
    if not mode & stat.S_IROTH and not mode & stat.S_IXOTH:
        return []
    return [
        Warning(
            f"Every account of this machine can read the data folder {settings.DATA_DIR}: uploads, and with "
            "SQLite password hashes and sessions.",
            hint=f"chmod o= {settings.DATA_DIR}",
            id="evalsite.W007",
        )
    ]


@register
def sqlite_lies_on_a_local_disk(
    app_configs: Sequence[Any] | None, *, mounts: Path = MOUNTS, **_: Any
) -> list[CheckMessage]:
    if not settings.IS_SQLITE:
        return []
    file = Path(settings.DATABASES["default"]["NAME"])
    kind = file_system_of(file, mounts)
    if kind not in NETWORK_FILE_SYSTEMS:
        return []
    return [
        Error(
            f"The SQLite database {file} lies on a network file system ({kind}): its log is not safe there.",
            hint="Set EVALSITE_DATA_DIR to a folder on a local disk, or DATABASE_URL to a PostgreSQL server.",
            id="evalsite.E002",
        )
    ]


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a path is on, as Linux names it; empty if unknown."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    path = path.resolve()
    best, kind = -1, ""
    for line in lines:
        _, point, this_kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        # A later mount on the same point covers the earlier one.
        if path.is_relative_to(point) and len(Path(point).parts) >= best:
            best, kind = len(Path(point).parts), this_kind
    return kind


@register
def broker_reaches_every_machine(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme == "memory":
        return [
            Error(
                "CELERY_BROKER_URL is memory://, which no worker can read: imports and reports would never be done.",
                hint="Unset it for the built-in broker, or set it to redis://HOST:6379/0.",
                id="evalsite.E003",
            )
        ]
    if scheme == "filesystem" and not settings.IS_SQLITE:
        return [
            Warning(
                "The database is a server, but the broker is the built-in one, which works on one machine only.",
                hint="Set CELERY_BROKER_URL to redis://HOST:6379/0 if workers run on other machines or in containers.",
                id="evalsite.W002",
            )
        ]
    return []


@register
def files_can_be_reached(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if not settings.S3_BUCKET:
        if settings.S3_ENDPOINT or settings.S3_REGION:
            return [
                Warning(
                    "EVALSITE_S3_ENDPOINT or EVALSITE_S3_REGION is set, but files are kept on the local disk.",
                    hint="Set EVALSITE_S3_BUCKET too, or unset them.",
                    id="evalsite.W003",
                )
            ]
        return []
    shared = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    if any(os.environ.get(name) for name in CREDENTIAL_VARIABLES) or Path(shared).expanduser().exists():
        return []
    return [
        Warning(
            f"Files go to the bucket {settings.S3_BUCKET}, but no credentials for it were found.",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, unless this machine's own role opens the bucket.",
            id="evalsite.W004",
        )
    ]


@register(Tags.security)
def keys_travel_in_secret(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"The key of the endpoint {name} goes to {urlsplit(url).hostname} without TLS: it can be read on the way.",
            hint=f"Give it an https:// address in EVALSITE_ENDPOINTS, or unset {key_variable(name)}.",
            id="evalsite.W008",
        )
        for name, (url, key) in settings.GENERATION_ENDPOINTS.items()
        if key and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or "")
    ]


@register(Tags.security)
def strangers_are_kept_out(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    hosts = ", ".join(public_hosts())
    if not hosts:
        return []
    if settings.DEBUG:
        messages.append(
            Error(
                f"EVALSITE_DEBUG is on while the site answers to {hosts}: error pages would show its settings.",
                hint="Unset EVALSITE_DEBUG, or let EVALSITE_ALLOWED_HOSTS name this machine alone.",
                id="evalsite.E004",
            )
        )
    if not settings.HTTPS:
        messages.append(
            Warning(
                f"The site answers to {hosts} without HTTPS: sign-in links and sessions can be read on the way.",
                hint="Put a proxy that speaks TLS before it and set EVALSITE_HTTPS=true.",
                id="evalsite.W005",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        messages.append(
            Warning(
                "EVALSITE_ALLOWED_HOSTS is *: a forged Host header would end up in the links that the site makes.",
                hint="Name the hosts by which people reach the site.",
                id="evalsite.W006",
            )
        )
    return messages


@register(Tags.security)
def a_guesser_is_told_from_others(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    if not settings.HTTPS or settings.PROXIES:
        return []
    return [
        Warning(
            "Behind the proxy everybody has the proxy's address, so an attacker who guesses at a password also locks "
            "out the account's owner until the pause ends.",
            hint="If the proxy adds to X-Forwarded-For, set EVALSITE_PROXIES to the number of proxies, usually 1.",
            id="evalsite.W009",
        )
    ]
