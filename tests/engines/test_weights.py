"""Weights are found where they lie, and what is missing comes with the command that gets it."""

import hashlib
from pathlib import Path

import pytest

from generation.engines.weights import locate, locate_file, pick, sha256
from generation.recipes.contract import Missing, Unusable

COMMIT = "787b3d35d57e49572baabd22884b3d5a05acf072"
FILES = ("config.json", "model.safetensors|pytorch_model.bin")


def test_a_folder_with_every_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    (tmp_path / "pytorch_model.bin").touch()
    assert locate(str(tmp_path), "", FILES) == tmp_path


def test_a_folder_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    found = locate(str(tmp_path), "", FILES)
    assert found == Missing(
        f"{tmp_path}: model.safetensors or pytorch_model.bin",
        f"Put config.json and model.safetensors into the folder {tmp_path}.",
    )


def test_a_pinned_commit_is_found_where_the_hubs_own_library_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import try_to_load_from_cache

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    command = f"hf download owner/net config.json model.safetensors --revision {COMMIT}"
    assert locate("owner/net", COMMIT, FILES) == Missing(
        "owner/net: config.json, model.safetensors or pytorch_model.bin", command
    )
    folder = tmp_path / "models--owner--net" / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    (folder / "model.safetensors").touch()
    assert locate("owner/net", COMMIT, FILES) == folder
    theirs = try_to_load_from_cache("owner/net", "config.json", cache_dir=tmp_path, revision=COMMIT)
    assert theirs == str(folder / "config.json")


def test_a_branch_is_not_a_pinned_commit() -> None:
    with pytest.raises(Unusable, match="'revision'") as caught:
        locate("owner/net", "main", FILES)
    assert "40 hexadecimal" in caught.value.cure


def test_a_single_file_may_be_named_itself(tmp_path: Path) -> None:
    file = tmp_path / "some.pt"
    file.write_bytes(b"weights")
    assert locate_file(str(file), "", "ImageReward.pt") == file
    assert isinstance(locate_file(str(tmp_path), "", "ImageReward.pt"), Missing)
    file.rename(tmp_path / "ImageReward.pt")
    assert locate_file(str(tmp_path), "", "ImageReward.pt") == tmp_path / "ImageReward.pt"


def test_of_two_names_the_first_that_is_there_counts(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    assert pick(tmp_path, "a|b") == tmp_path / "b"
    (tmp_path / "a").touch()
    assert pick(tmp_path, "a|b") == tmp_path / "a"
    assert pick(tmp_path, "c") is None


def test_the_digest_follows_the_files_content(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    for content in (b"one", b"another"):
        file.write_bytes(content)
        assert sha256(file) == hashlib.sha256(content).hexdigest()
