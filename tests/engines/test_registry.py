"""Engines by name, one copy of each in a process, and room made where memory is short."""

import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from generation.engines import registry
from generation.recipes.contract import Missing, OutOfMemory, Unusable
from generation.recipes.engine_spec import Endpoint, EngineSpec, Surroundings

HERE = Surroundings(device="cpu")


class Device:
    """A small engine's machine: it has room for this many engines, and knows which are loaded."""

    def __init__(self) -> None:
        self.room, self.n_loads, self.alive = 100, 0, []
        self.lacking: list[Missing] = []

    def missing(self, options: Any, surroundings: Surroundings) -> list[Missing]:
        return self.lacking

    def load(self, options: Any, surroundings: Surroundings) -> "SmallEngine":
        if len(self.alive) >= self.room:
            raise OutOfMemory("The device ran out of memory.")
        self.n_loads += 1
        return SmallEngine(self, options["model"])


class SmallEngine:
    def __init__(self, device: Device, model: str) -> None:
        self.device, self.model = device, model
        device.alive.append(model)

    def __del__(self) -> None:
        self.device.alive.remove(self.model)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """An engine of the name "small", in a registry that has loaded nothing."""
    registry.forget()
    device, module = Device(), types.ModuleType("small_engine")
    module.missing, module.load = device.missing, device.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "small_engine", module)
    monkeypatch.setitem(registry._ENGINES, "small", registry._Entry("small_engine", ("metric",)))
    yield device
    registry.forget()


def small(model: str, **options: Any) -> EngineSpec:
    return EngineSpec("small", {"model": model, **options})


def test_every_role_has_its_engines() -> None:
    assert registry.names("image") == ("sd3", "diffusers", "openai-images")
    assert registry.names("language") == ("chat", "local-chat")
    assert registry.names("critic") == ("chat", "local-chat", "scenes-critic")
    assert registry.names("metric") == ("clip-score", "image-reward", "blip-vqa", "scenes-vqa", "judge")
    assert registry.names("answerer") == ("blip-vqa", "scenes-vqa")
    assert len(registry.names()) == 11
    with pytest.raises(Unusable, match="no role 'painter'") as caught:
        registry.names("painter")
    assert "image, language, critic, metric, answerer" in caught.value.cure


@pytest.mark.parametrize("call", [registry.load, registry.missing, registry.cached])
def test_an_unknown_name_is_refused_with_the_valid_ones(call: Any) -> None:
    with pytest.raises(Unusable, match="no engine 'sd4'") as caught:
        call(EngineSpec("sd4"), HERE)
    assert "sd3, diffusers" in caught.value.cure


def test_the_list_of_engines_costs_nothing() -> None:
    code = (
        "import sys; from generation.engines import registry; registry.names();"
        "print([name for name in sys.modules if name.startswith('generation.engines.') or name == 'torch'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['generation.engines.registry']"


def test_what_is_missing_is_said_before_anything_is_loaded(device: Device) -> None:
    device.lacking = [Missing("the file a", "fetch a"), Missing("the file b", "fetch b")]
    assert registry.missing(small("one"), HERE) == device.lacking
    with pytest.raises(Unusable, match="Missing: the file a; the file b") as caught:
        registry.load(small("one"), HERE)
    assert caught.value.cure == "fetch a\nfetch b"
    assert device.n_loads == 0


def test_the_same_spec_is_loaded_once_whatever_the_order_of_its_options(device: Device) -> None:
    first = registry.cached(small("one", seed=1, size=2), HERE)
    again = registry.cached(EngineSpec("small", {"size": 2, "seed": 1, "model": "one"}), HERE)
    assert again is first
    assert registry.cached(small("one", seed=2, size=2), HERE) is not first
    assert device.n_loads == 2


def test_another_key_or_device_is_another_engine(device: Device) -> None:
    first = registry.cached(small("one"), HERE)
    for other in (
        Surroundings(device="cuda:1"),
        Surroundings({"lab": Endpoint("http://one", "key")}, "cpu"),
        Surroundings({"lab": Endpoint("http://one", "new key")}, "cpu"),
    ):
        assert registry.cached(small("one"), other) is not first
    assert device.n_loads == 4


def test_the_longest_unused_makes_room_for_the_newest(device: Device) -> None:
    for number in range(registry.MOST_LOADED):
        registry.cached(small(str(number)), HERE)
    registry.cached(small("0"), HERE)
    registry.cached(small("new"), HERE)
    assert device.alive == ["0", "2", "3", "4", "5", "new"]
    assert device.n_loads == registry.MOST_LOADED + 1


def test_short_memory_frees_the_longest_unused_until_it_fits(device: Device) -> None:
    device.room = 2
    for model in ("a", "b", "c"):
        registry.cached(small(model), HERE)
    assert device.alive == ["b", "c"]
    device.room = 1
    registry.cached(small("d"), HERE)
    assert device.alive == ["d"]


def test_what_does_not_fit_alone_fails(device: Device) -> None:
    registry.cached(small("a"), HERE)
    device.room = 0
    with pytest.raises(OutOfMemory):
        registry.cached(small("b"), HERE)
    assert device.alive == []


def test_forgetting_frees_all_or_all_but_one(device: Device) -> None:
    kept = registry.cached(small("a"), HERE)
    registry.cached(small("b"), HERE)
    assert registry.forget(but=small("a")) == 1
    assert device.alive == ["a"]
    assert registry.cached(small("a"), HERE) is kept
    del kept
    assert registry.forget() == 1
    assert device.alive == []
    assert registry.forget() == 0
