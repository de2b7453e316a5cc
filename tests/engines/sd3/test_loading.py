"""Options are checked and missing files named without torch; folders and the hub's cache need no network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generation.engines.sd3 import engine as sd3
from generation.recipes.contract import Unusable
from generation.recipes.engine_spec import Surroundings
from tests.engines.sd3_drawing import CPU, T5_LENGTH, draw, request, stock

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_ID = "somebody/small-sd3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    stock().save_pretrained(path)
    return path


@pytest.mark.parametrize(
    ("options", "problem", "cure"),
    [
        ({}, "'model' is None", "tiny"),
        ({"model": "no such folder"}, "'model' is 'no such folder'", "owner/name"),
        ({"model": HUB_ID}, "'revision' of somebody/small-sd3 is None", "40 hexadecimal digits"),
        ({"model": HUB_ID, "revision": "main"}, "is 'main'", "a branch moves"),
        ({"model": "tiny", "dtype": "int8"}, "'dtype' is 'int8'", "'bf16', 'fp16', 'fp32'"),
        ({"model": "tiny", "quantization": "fp4"}, "'quantization' is 'fp4'", "None, 'nf4', 'fp8'"),
        ({"model": "tiny", "quantization": "nf4"}, "tiny model lacks", "None, 'fp8'"),
        ({"model": "tiny", "quantization": "fp8", "dtype": "fp16"}, "'dtype' is 'fp16'", "'bf16'"),
        ({"model": "tiny", "offload": 1}, "'offload' is 1", "False, True"),
        ({"model": "tiny", "t5_length": 513}, "'t5_length' is 513", "1 … 512"),
        ({"model": "tiny", "forward_size": 0}, "'forward_size' is 0", "1 … 64"),
        ({"model": "tiny", "batch_size": True}, "'batch_size' is True", "1 … 1000"),
        ({"model": "tiny", "guidance": 4.5}, "Unknown option 'guidance'", "forward_size"),
    ],
)
def test_a_bad_option_is_named_with_the_valid_ones(options: dict[str, Any], problem: str, cure: str) -> None:
    with pytest.raises(Unusable, match=problem) as caught:
        sd3.missing(options, CPU)
    assert cure in caught.value.cure


def test_what_is_missing_is_said_without_loading_torch(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['bitsandbytes'] = None;"  # as where it is not installed
        "from generation.engines.sd3 import engine as sd3;"
        "from generation.recipes.engine_spec import Surroundings;"
        f"options = {{'model': {HUB_ID!r}, 'revision': {COMMIT!r}, 'quantization': 'nf4'}};"
        "print([(one.what, one.cure) for one in sd3.missing(options, Surroundings())]);"
        "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"HF_HUB_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    missing, heavy = done.stdout.splitlines()
    assert f"hf download {HUB_ID} --revision {COMMIT}" in missing
    assert "pip install 'bitsandbytes" in missing
    assert heavy == "[]"


def test_nothing_is_missing_for_the_tiny_one_and_for_a_whole_folder(folder: Path) -> None:
    assert sd3.missing({"model": "tiny"}, CPU) == []
    assert sd3.missing({"model": str(folder)}, CPU) == []


def test_a_folder_is_drawn_with_as_the_same_weights_are_elsewhere(folder: Path) -> None:
    loaded = sd3.load({"model": str(folder), "t5_length": T5_LENGTH, "threads": 1}, CPU)
    assert loaded.draw([request()]) == [draw(request())]
    assert len(loaded.identity["fingerprint"]) == 64


def test_other_weights_in_the_folder_are_another_identity(folder: Path, tmp_path: Path) -> None:
    from generation.engines.hub_cache import fingerprint

    copy = shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(copy) == fingerprint(folder)
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert fingerprint(copy) != fingerprint(folder)


def test_a_pinned_commit_is_found_in_the_hubs_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    options = {"model": HUB_ID, "revision": COMMIT, "t5_length": T5_LENGTH, "threads": 1}
    assert len(sd3.missing(options, CPU)) == 1
    shutil.copytree(folder, tmp_path / "models--somebody--small-sd3" / "snapshots" / COMMIT)
    assert sd3.missing(options, CPU) == []
    loaded = sd3.load(options, CPU)
    assert loaded.identity["revision"] == COMMIT
    assert loaded.draw([request()]) == [draw(request())]


def test_an_interrupted_download_is_noticed(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    (one,) = sd3.missing({"model": str(copy)}, CPU)
    assert "transformer/*.safetensors" in one.what
    shards = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    (copy / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(shards))
    (copy / "transformer" / "part-1.safetensors").touch()
    (one,) = sd3.missing({"model": str(copy)}, CPU)
    assert "part-2.safetensors" in one.what


def test_the_third_text_encoder_need_not_be_there_when_it_is_not_used(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(copy / "text_encoder_3")
    shutil.rmtree(copy / "tokenizer_3")
    assert len(sd3.missing({"model": str(copy)}, CPU)) == 1
    options = {"model": str(copy), "t5": False, "t5_length": T5_LENGTH, "threads": 1}
    assert sd3.missing(options, CPU) == []
    assert sd3.load(options, CPU).draw([request()]) == [draw(request(), t5=False)]


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusion3Pipeline"}))
    with pytest.raises(Unusable, match="cannot be loaded as Stable Diffusion 3"):
        sd3.load({"model": str(tmp_path)}, CPU)


def test_offloading_needs_a_gpu() -> None:
    with pytest.raises(Unusable, match="no GPU"):
        sd3.load({"model": "tiny", "offload": True}, Surroundings(device="cpu"))
