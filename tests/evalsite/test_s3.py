"""Files in S3 by environment alone: the site's own settings, the real client, a server that speaks the protocol."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PROGRAM = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
name = default_storage.save("images/ab/picture.png", ContentFile(b"pixels"))
again = default_storage.save("images/ab/picture.png", ContentFile(b"other pixels"))
with default_storage.open(name) as file:
    assert file.read() == b"pixels", "a second file of the same name must not replace the first"
print(type(default_storage._wrapped).__name__, name, again != name)
"""


@pytest.fixture
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # here and below: slow to import

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def run_with_bucket(program: str, endpoint: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with the site's settings, its files in the bucket `evalsite`. data: the site's own folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVALSITE_")} | {
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "EVALSITE_DATA_DIR": str(data),
        "EVALSITE_S3_BUCKET": "evalsite",
        "EVALSITE_S3_ENDPOINT": endpoint,
        "EVALSITE_S3_REGION": "us-east-1",
    }
    environment.pop("DATABASE_URL", None)

    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def test_files_go_to_the_bucket_and_come_back_and_are_private(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="evalsite")

    done = run_with_bucket(PROGRAM, endpoint, tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["S3Storage", "images/ab/picture.png", "True"]
    stored = client.list_objects_v2(Bucket="evalsite")["Contents"]
    assert len(stored) == 2
    grants = client.get_object_acl(Bucket="evalsite", Key="images/ab/picture.png")["Grants"]
    assert not [grant for grant in grants if "AllUsers" in grant["Grantee"].get("URI", "")]
    assert not (tmp_path / "media").exists()
