"""Settings come from the environment; what is wrong with it is said with variable, value and cure, and all at once."""

import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from evalsite import checks
from evalsite.environment import Environment, keep_private, secret_key_from, without_password

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "operations.md"


def complaint(read: str, value: str, *arguments: Any, **options: Any) -> str:
    """What the reader says of one variable's value."""
    env = Environment({"THIS": value})
    getattr(env, read)("THIS", *arguments, **options)
    with pytest.raises(ImproperlyConfigured) as caught:
        env.close(program="evalsite")
    return str(caught.value)


@pytest.mark.parametrize(
    ("read", "value", "arguments", "cure"),
    [
        ("integer", "0", {"default": 5, "low": 1, "high": 9}, "a whole number from 1 to 9"),
        ("integer", "4.5", {"default": 5, "low": 1, "high": 9}, "a whole number from 1 to 9"),
        ("boolean", "perhaps", {"default": True}, "true or false"),
        ("choice", "LOUD", {"default": "INFO", "choices": ["INFO", "DEBUG"]}, "one of INFO, DEBUG"),
        ("origins", "rate.example.org", {"default": []}, "origins such as https://rate.example.org"),
        ("time_zone", "Mars/Olympus", {"default": "UTC"}, "a time zone such as Europe/Berlin"),
        ("database", "mysql://host/name", {"default": "sqlite:////tmp/x"}, "postgres://USER:PASSWORD@HOST:5432/NAME"),
        ("database", "postgres://host:port/name", {"default": "sqlite:////tmp/x"}, "postgres://USER:PASSWORD@HOST"),
        ("broker", "redis:///0", {"default": "filesystem://"}, "redis://HOST:6379/0"),
        ("broker", "kafka://host", {"default": "filesystem://"}, "redis://HOST:6379/0"),
        ("email", "carrier://pigeon", {"default": "console://"}, "smtp://USER:PASSWORD@HOST:587/?ssl=True"),
        ("device", "gpu", {"default": "auto"}, "auto, cpu, cuda, or cuda:N"),
        ("device", "cuda:", {"default": "auto"}, "auto, cpu, cuda, or cuda:N"),
        ("endpoints", "Lab=https://lab.example.org/v1", {}, "name=URL,name=URL"),
        ("endpoints", "my_lab=https://lab.example.org/v1", {}, "name=URL,name=URL"),
        ("endpoints", "https://lab.example.org/v1", {}, "name=URL,name=URL"),
        ("endpoints", "lab=ftp://lab.example.org", {}, "name=URL,name=URL"),
        ("endpoints", "lab=https://lab.example.org:port/v1", {}, "name=URL,name=URL"),
        ("endpoints", "lab=http://a.example.org,lab=http://b.example.org", {}, "name=URL,name=URL"),
        ("path", "data", {"default": ROOT, "meaning": "the folder"}, "an absolute path: the folder"),
    ],
)
def test_a_bad_value_is_named_with_its_cure(read: str, value: str, arguments: dict[str, Any], cure: str) -> None:
    assert f"THIS={value!r} is not usable. Set it to {cure}" in complaint(read, value, **arguments)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = Environment({"FOLDER": str(tmp_path / "file" / "below")})
    env.path("FOLDER", tmp_path, "the folder for answers")
    with pytest.raises(ImproperlyConfigured, match=r"FOLDER=.*that can be made and written .*the folder for answers"):
        env.close(program="evalsite")


def test_good_values_are_read_from_the_given_mapping_and_not_from_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAG", "true")
    monkeypatch.setenv("HOSTS", "elsewhere.example.org")
    env = Environment({"FLAG": "off", "HOSTS": "a.example.org, b.example.org", "SIZE": "7", "EMPTY": ""})
    assert env.boolean("FLAG", default=True) is False
    assert env.words("HOSTS", []) == ["a.example.org", "b.example.org"]
    assert env.integer("SIZE", 1, low=0, high=9) == 7
    assert env.text("EMPTY", "the default") == "the default"
    assert env.database("DATABASE", "postgres://u:p%40ss@db:5433/ratings")["PASSWORD"] == "p@ss"
    assert env.broker("BROKER", "filesystem://") == "filesystem://localhost"
    env.close(program="evalsite")


def test_every_mistake_is_reported_at_once_and_no_secret_with_it() -> None:
    env = Environment({"URL": "mysql://me:hunter2@db/x", "KEY": "hunter3", "SIZE": "many", "SITE_SIZ": "1"})
    env.database("URL", "sqlite:////tmp/x")
    env.integer("SIZE", 1, low=0, high=9)
    env.integer("SITE_SIZE", 1, low=0, high=9)
    with pytest.raises(ImproperlyConfigured) as caught:
        env.close(program="evalsite", known_prefix="SITE_")
    message = str(caught.value)
    assert "hunter" not in message
    assert "URL='mysql://me:…@db/x'" in message
    assert "SIZE='many'" in message
    assert "SITE_SIZ is not a setting of evalsite: did you mean SITE_SIZE?" in message


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("lab=https://me:hunter2@lab.example.org/v1", "lab=https://…@lab.example.org/v1"),
        ("lab=https://lab.example.org/v1?key=hunter2", "lab=https://lab.example.org/v1?…"),
        ("ok=http://127.0.0.1/v1,https://hun@ter2@lab.example.org", "ok=http://127.0.0.1/v1,https://…@lab.example.org"),
        ("lab=hunter2", "lab=…"),
        ("hunter2", "…"),
    ],
)
def test_a_key_in_the_list_of_endpoints_is_refused_and_not_shown(value: str, shown: str) -> None:
    assert f"THIS={shown!r} is not usable" in complaint("endpoints", value)


def test_endpoints_come_with_their_keys() -> None:
    env = Environment(
        {
            "EVALSITE_ENDPOINTS": "my-lab=http://127.0.0.1:8080/v1, hosted=https://llm.example.org/v1",
            "EVALSITE_KEY_HOSTED": "hunter2",
        }
    )
    assert env.endpoints("EVALSITE_ENDPOINTS") == {
        "my-lab": ("http://127.0.0.1:8080/v1", ""),
        "hosted": ("https://llm.example.org/v1", "hunter2"),
    }
    assert "EVALSITE_KEY_MY_LAB" in env.names
    env.close(program="evalsite", known_prefix="EVALSITE_")


def test_a_key_of_no_endpoint_is_refused_without_being_shown() -> None:
    env = Environment({"EVALSITE_ENDPOINTS": "lab=http://127.0.0.1/v1", "EVALSITE_KEY_HOSTED": "hunter2"})
    env.endpoints("EVALSITE_ENDPOINTS")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.close(program="evalsite", known_prefix="EVALSITE_")
    assert "EVALSITE_KEY_HOSTED belongs to no endpoint: add the endpoint to EVALSITE_ENDPOINTS" in str(caught.value)
    assert str(caught.value).count("EVALSITE_KEY_HOSTED") == 1
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:3"])
def test_devices_are_named_as_torch_names_them(device: str) -> None:
    env = Environment({"DEVICE": device})
    assert env.device("DEVICE", "auto") == device
    env.close(program="evalsite")


@pytest.mark.parametrize("url", ["http://[", "plain text", "redis://host:6379/0"])
def test_what_has_no_password_stays_readable_or_is_hidden_whole(url: str) -> None:
    assert without_password(url) in (url, "…")


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, again = secret_key_from(tmp_path / "key"), secret_key_from(tmp_path / "key")
    assert first == again
    assert len(first) >= 50
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_two_processes_that_start_at_once_have_one_secret_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    for _ in range(20):
        with ThreadPoolExecutor(4) as pool:
            keys = set(pool.map(secret_key_from, [path] * 4))
        assert len(keys) == 1
        assert len(keys.pop()) >= 50
        path.unlink()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", [None, 0o644])
def test_the_database_file_is_its_owners_alone(tmp_path: Path, before: int | None) -> None:
    """Wherever it is copied to; its log has its rights."""
    file = tmp_path / "site.sqlite3"
    if before is not None:
        file.touch()
        file.chmod(before)
    keep_private(file)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE answers (level)")
        for written in (file, Path(f"{file}-wal")):
            assert written.stat().st_mode & 0o007 == 0, written


def test_a_database_that_cannot_be_made_private_is_left_alone(tmp_path: Path) -> None:
    keep_private(tmp_path / "no such folder" / "site.sqlite3")
    keep_private(Path(":memory:"))
    assert list(tmp_path.iterdir()) == []


def start_site_with(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, *(arguments or ("manage.py", "check"))],
        cwd=ROOT,
        env=kept | {"EVALSITE_DATA_DIR": str(tmp_path / "data")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_starts_without_any_environment_and_is_safe(tmp_path: Path) -> None:
    result = start_site_with(tmp_path)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout
    assert len((tmp_path / "data" / "secret_key").read_text()) >= 50


def test_the_site_refuses_a_misspelt_variable(tmp_path: Path) -> None:
    result = start_site_with(tmp_path, EVALSITE_ALOWED_HOSTS="rate.example.org")
    assert result.returncode != 0
    assert "did you mean EVALSITE_ALLOWED_HOSTS?" in result.stderr


def test_variables_of_unused_services_are_known_all_the_same(tmp_path: Path) -> None:
    unused = {"EVALSITE_HSTS_SECONDS": "60", "EVALSITE_DATABASE_MAX_AGE": "5", "EVALSITE_WEB_THREADS": "4"}
    assert start_site_with(tmp_path, "-c", "import evalsite.settings", **unused).returncode == 0


@pytest.mark.parametrize("seconds", ["1", "3601", "soon"])
def test_the_site_refuses_a_lease_out_of_bounds(seconds: str, tmp_path: Path) -> None:
    result = start_site_with(tmp_path, EVALSITE_LEASE_SECONDS=seconds)
    assert result.returncode != 0
    assert f"EVALSITE_LEASE_SECONDS={seconds!r} is not usable. Set it to a whole number from 2 to 3600" in result.stderr


def test_the_site_refuses_a_language_that_is_not_translated(tmp_path: Path) -> None:
    result = start_site_with(tmp_path, EVALSITE_LANGUAGE="he")
    assert result.returncode != 0
    assert "EVALSITE_LANGUAGE='he' is not usable. Set it to one of en, zh-hans, de, es, ar" in result.stderr


def test_the_site_refuses_bounds_on_guessing_that_bound_nothing(tmp_path: Path) -> None:
    bad = {"EVALSITE_SIGN_IN_TRIES": "0", "EVALSITE_SIGN_IN_PAUSE_MINUTES": "2000", "EVALSITE_PROXIES": "all"}
    result = start_site_with(tmp_path, **bad)
    assert result.returncode != 0
    for complaint in (
        "EVALSITE_SIGN_IN_TRIES='0' is not usable. Set it to a whole number from 3 to 100",
        "EVALSITE_SIGN_IN_PAUSE_MINUTES='2000' is not usable. Set it to a whole number from 1 to 1440",
        "EVALSITE_PROXIES='all' is not usable. Set it to a whole number from 0 to 9",
    ):
        assert complaint in result.stderr


@pytest.mark.parametrize(("lease", "expected"), [("", "60 20.0"), ("3", "3 1.0"), ("3600", "3600 20.0")])
def test_ended_leases_are_looked_for_several_times_within_a_lease(lease: str, expected: str, tmp_path: Path) -> None:
    code = (
        "from evalsite.settings import *; "
        "print(GENERATION_LEASE_SECONDS, CELERY_BEAT_SCHEDULE['generation.tasks.resume_runs']['schedule'])"
    )
    environment = {"EVALSITE_DATA_DIR": str(tmp_path), "EVALSITE_LEASE_SECONDS": lease}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == expected


def test_the_manual_lists_every_variable_and_no_other() -> None:
    from evalsite.settings import env

    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", MANUAL.read_text(), re.MULTILINE)
    foreign = {name for name in rows if name.startswith("AWS_")}  # read by the S3 client, not by us
    assert sorted(set(rows) - foreign) == sorted(env.names)
    assert len(rows) == len(set(rows))


def test_the_manual_lists_every_check() -> None:
    written = set(re.findall(r"evalsite\.[EW]\d{3}", Path(checks.__file__).read_text()))
    assert set(re.findall(r"evalsite\.[EW]\d{3}", MANUAL.read_text())) == written


# --- system checks ---------------------------------------------------------------------------------------------------
def ids(messages: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in messages)
    return [str(message.id) for message in messages]


def test_a_data_folder_that_cannot_be_written_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert checks.data_folder_can_be_written(None) == []
    settings.DATA_DIR = tmp_path / "gone"
    assert ids(checks.data_folder_can_be_written(None)) == ["evalsite.E001"]


def test_a_nearly_full_disk_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert ids(checks.data_folder_can_be_written(None, enough_bytes=2**70)) == ["evalsite.W001"]


def test_the_kind_of_file_system_is_that_of_the_deepest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "none / ext4 rw 0 0\nserver:/x /srv/my\\040data nfs4 rw 0 0\nnone /srv/my\\040data/fast xfs rw 0 0\n"
    )
    assert checks.file_system_of(Path("/srv/my data/db.sqlite3"), mounts) == "nfs4"
    assert checks.file_system_of(Path("/srv/my data/fast/db.sqlite3"), mounts) == "xfs"
    assert checks.file_system_of(Path("/srv/other"), mounts) == "ext4"
    assert checks.file_system_of(Path("/srv/other"), tmp_path / "none") == ""


def test_sqlite_on_a_network_file_system_is_an_error(settings: Settings, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/everything / nfs4 rw 0 0\n")
    settings.IS_SQLITE = True
    assert checks.sqlite_lies_on_a_local_disk(None) == []
    assert ids(checks.sqlite_lies_on_a_local_disk(None, mounts=mounts)) == ["evalsite.E002"]
    settings.IS_SQLITE = False
    assert checks.sqlite_lies_on_a_local_disk(None, mounts=mounts) == []


@pytest.mark.parametrize(
    ("broker", "on_sqlite", "expected"),
    [
        ("filesystem://localhost", True, []),
        ("filesystem://localhost", False, ["evalsite.W002"]),
        ("memory://localhost", True, ["evalsite.E003"]),
        ("redis://redis:6379/0", False, []),
    ],
)
def test_a_broker_that_cannot_reach_the_workers(
    broker: str, on_sqlite: bool, expected: list[str], settings: Settings
) -> None:
    settings.CELERY_BROKER_URL, settings.IS_SQLITE = broker, on_sqlite
    assert ids(checks.broker_reaches_every_machine(None)) == expected


def test_a_bucket_without_credentials_and_an_endpoint_without_a_bucket(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in checks.CREDENTIAL_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert checks.files_can_be_reached(None) == []
    settings.S3_ENDPOINT = "https://s3.example.org"
    assert ids(checks.files_can_be_reached(None)) == ["evalsite.W003"]
    settings.S3_BUCKET = "images"
    assert ids(checks.files_can_be_reached(None)) == ["evalsite.W004"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    assert checks.files_can_be_reached(None) == []


@pytest.mark.parametrize(
    ("hosts", "debug", "https", "expected"),
    [
        (["localhost", "127.0.0.1", "[::1]", "evalsite.localhost"], True, False, []),
        (["rate.example.org"], False, True, []),
        (["rate.example.org"], False, False, ["evalsite.W005"]),
        (["192.168.0.7"], True, True, ["evalsite.E004"]),
        (["*"], False, True, ["evalsite.W006"]),
    ],
)
def test_a_site_open_to_strangers(
    hosts: list[str], debug: bool, https: bool, expected: list[str], settings: Settings
) -> None:
    settings.ALLOWED_HOSTS, settings.DEBUG, settings.HTTPS = hosts, debug, https
    messages = checks.strangers_are_kept_out(None)
    assert ids(messages) == expected
    assert all(isinstance(message, Error) == (".E" in str(message.id)) for message in messages)


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        ("http://lab.example.org/v1", "hunter2", ["evalsite.W008"]),
        ("http://192.168.0.7:8080/v1", "hunter2", ["evalsite.W008"]),
        ("http://lab.example.org/v1", "", []),
        ("https://lab.example.org/v1", "hunter2", []),
        ("http://localhost:8080/v1", "hunter2", []),
        ("http://127.0.0.1:8080/v1", "hunter2", []),
        ("http://[::1]:8080/v1", "hunter2", []),
    ],
)
def test_a_key_that_others_can_read_on_its_way(url: str, key: str, expected: list[str], settings: Settings) -> None:
    settings.GENERATION_ENDPOINTS = {"my-lab": (url, key)}
    messages = checks.keys_travel_in_secret(None)
    assert ids(messages) == expected
    for message in messages:
        assert "EVALSITE_KEY_MY_LAB" in str(message.hint)
        assert "hunter2" not in f"{message}{message.hint}"


@pytest.mark.parametrize(
    ("https", "proxies", "expected"), [(False, 0, []), (True, 1, []), (True, 0, ["evalsite.W009"])]
)
def test_a_proxy_that_hides_who_guesses(https: bool, proxies: int, expected: list[str], settings: Settings) -> None:
    settings.HTTPS, settings.PROXIES = https, proxies
    assert ids(checks.a_guesser_is_told_from_others(None)) == expected


@pytest.mark.parametrize(("mode", "expected"), [(0o700, []), (0o750, []), (0o755, ["evalsite.W007"])])
def test_a_data_folder_open_to_every_account_is_a_warning(
    mode: int, expected: list[str], settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(mode)
    assert ids(checks.data_folder_is_private(None)) == expected


def test_a_new_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    Environment({"EVALSITE_DATA_DIR": str(folder)}).path("EVALSITE_DATA_DIR", tmp_path, "the data")
    assert folder.stat().st_mode & 0o777 == 0o700
