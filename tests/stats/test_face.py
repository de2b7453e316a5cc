"""What `annotations.stats` offers a notebook: names load on first use, and the documents are current."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import annotations.stats as face
from tests import api_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_name_is_there_and_listed() -> None:
    assert len(set(face.__all__)) == len(face.__all__) == len(face._HOMES)
    for name in face.__all__:
        assert callable(getattr(face, name))
        assert f"`{name}`" in str(face.__doc__) or f"`{name}`s" in str(face.__doc__), name
    assert set(face.__all__) <= set(dir(face))


def test_a_name_that_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(AttributeError, match="krippendorff_alpha"):
        face.krippendorf  # type: ignore[attr-defined]  # noqa: B018


def test_no_name_hides_a_package() -> None:
    """Otherwise `import annotations.stats.x.y` would find the function instead of the package."""
    inside = {path.stem for path in Path(face.__file__).parent.iterdir()}
    assert not inside & set(face.__all__)


def test_one_statistic_does_not_load_the_others_nor_django() -> None:
    code = (
        "import sys; from annotations.stats import Ratings, krippendorff_alpha;"
        "print(krippendorff_alpha(Ratings.from_matrix([[1, 2, 3], [1, 2, 2]], [1, 2, 3]), 'nominal').value);"
        "print([name for name in sys.modules if name.startswith(('django', 'annotations.stats.'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=DOCS.parent, capture_output=True, text=True, check=True)
    value, loaded = run.stdout.splitlines()
    # Values 1 1, 2 2, 3 2 make n = 2, 3, 1 of 6; 2 of 6 coincidences differ: 1 − 5 · 2/(36 − 14) = 12/22.
    assert float(value) == pytest.approx(6 / 11)
    assert "annotations.stats.agreement.alpha" in loaded
    assert not [name for name in ("django", "comparison", "ordinal_model", "preferences") if name in loaded]


def test_the_api_page_is_current() -> None:
    assert api_page.PAGE.read_text(encoding="utf-8") == api_page.page(), "run `make docs`"


@pytest.mark.slow
def test_the_notebook_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "notebook-data", tmp_path / "notebook-data")
    stored = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    fresh = nbformat.from_dict(stored)
    # On a busy machine what a cell prints arrives in several pieces: coalesce_streams joins them.
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(fresh, coalesce_streams=True, timeout=600, startup_timeout=300, resources=place).execute()
    assert printed(fresh) == printed(stored)
    assert len(printed(stored)) >= 6
    assert {path.name for path in tmp_path.glob("*.pdf")} == {"figure-methods.pdf", "figure-metrics.pdf"}


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stdout":
                texts.append(output.text)
            elif "data" in output and "image/png" not in output.data:
                texts.append(output.data["text/plain"])
    return texts
