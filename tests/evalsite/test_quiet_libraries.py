"""What a worker's log leaves out, drawn for by the real libraries with tiny random weights."""

import logging
from collections.abc import Iterator

import pytest

from evalsite.serving.quiet_libraries import LOGGERS
from generation.engines import registry
from generation.recipes.contract import DrawRequest
from generation.recipes.engine_spec import EngineSpec, Surroundings

LONG = "a hedgehog paints a pumpkin with a small brush; " * 6  # more than CLIP reads, and less than T5


@pytest.fixture
def unfiltered() -> Iterator[None]:
    before = {name: logging.getLogger(name).filters for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).filters = []
    yield
    for name, filters in before.items():
        logging.getLogger(name).filters = filters


def draw_from_a_long_prompt() -> None:
    engine = registry.load(EngineSpec("sd3", {"model": "tiny"}), Surroundings(device="cpu"))
    engine.draw([DrawRequest(prompt=LONG, seed=1, n_steps=2, guidance=4.5, width=64, height=64)])


def test_a_long_prompt_makes_no_noise_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    draw_from_a_long_prompt()
    assert [record for record in caplog.records if record.name in LOGGERS] == []


@pytest.mark.usefixtures("unfiltered")
def test_it_would_without_the_filter(caplog: pytest.LogCaptureFixture) -> None:
    draw_from_a_long_prompt()
    assert "CLIP can only handle" in caplog.text


@pytest.mark.parametrize("name", LOGGERS)
def test_other_words_of_these_libraries_are_passed_on(name: str, caplog: pytest.LogCaptureFixture) -> None:
    message = "The following part of your input was truncated because `max_sequence_length` is set to 512 tokens"
    logging.getLogger(name).warning(message)
    assert message in caplog.text
