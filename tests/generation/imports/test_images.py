"""Images: checked by content, stored by content, linked to what they were refined from."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from PIL import Image as PillowImage

from exchange.rejects import BadFile, RejectLog
from generation.models import Image, Method, Prompt, PromptSet
from generation.queries.importers import Source
from generation.services.image_files import put
from generation.services.imports.images import import_images
from generation.services.imports.prompts import import_prompts
from tests.exchange.pictures import with_odd_exif
from tests.factories import tiny_png
from tests.generation.conftest import Bundle, Table

pytestmark = pytest.mark.django_db
CASES = Path(__file__).resolve().parents[2] / "data" / "files"


def manifest(*rows: str, header: str = "image,prompt,method,parent") -> str:
    return "\n".join([header, *rows]) + "\n"


def test_the_pairs_give_sixteen_images_in_eight_linked_pairs(sld_pairs: Path) -> None:
    source = Source("sld_pairs", sld_pairs)
    counts = import_images(source, prompt_set="SLD", log=RejectLog())
    assert (counts.n_created, counts.n_unchanged) == (16, 0)
    refined = Image.objects.filter(round=1).select_related("parent__method", "method", "prompt")
    assert len(refined) == 8
    for image in refined:
        assert image.parent is not None
        assert image.parent.prompt == image.prompt
        assert (image.parent.method.kind, image.method.kind) == (Method.Kind.BASELINE, Method.Kind.REFINED)
    before = list(Image.objects.values())
    again = import_images(source, prompt_set="SLD", log=RejectLog())
    assert (again.n_created, again.n_unchanged) == (0, 16)
    assert list(Image.objects.values()) == before
    assert Prompt.objects.count() == 5


def test_the_original_is_kept_to_the_byte_and_people_see_another_file(bundle: Bundle, log: RejectLog) -> None:
    png = tiny_png(1)
    import_images(
        bundle({"manifest.csv": manifest("secret-method/a.png,a fox,secret,"), "secret-method/a.png": png}),
        prompt_set="p",
        log=log,
    )
    image = Image.objects.get()
    with default_storage.open(image.file.name) as stream:
        assert stream.read() == png
    assert image.file.name == f"images/{image.sha256[:2]}/{image.sha256}.png"
    with default_storage.open(image.shown.name) as stream:
        shown = PillowImage.open(io.BytesIO(stream.read()))
        assert (shown.format, shown.size) == ("WEBP", (8, 8))
    assert image.sha256 not in image.shown.name
    assert "secret" not in image.shown.name
    assert (image.width, image.height, image.n_bytes, image.format) == (8, 8, len(png), "PNG")


def test_a_chain_of_refinements_is_linked_in_whatever_order_it_is_named(bundle: Bundle, log: RejectLog) -> None:
    files = {f"{i}.png": tiny_png(i) for i in range(3)}
    rows = ["2.png,a fox,second,1.png", "1.png,a fox,first,0.png", "0.png,a fox,baseline,"]
    counts = import_images(bundle(files | {"manifest.csv": manifest(*rows)}), prompt_set="p", log=log)
    assert counts.n_created == 3
    last = Image.objects.get(round=2)
    assert last.parent is not None
    assert last.parent.parent is not None
    assert last.parent.parent.method.kind == Method.Kind.BASELINE


def test_a_bad_image_is_refused_with_its_row_and_so_are_its_children(bundle: Bundle, log: RejectLog) -> None:
    files: dict[str, bytes | str] = {
        "cut.png": tiny_png(1)[:40],
        "liar.png": b"GIF89a...",
        "child.png": tiny_png(2),
        "good.png": tiny_png(3),
        "manifest.csv": manifest(
            "cut.png,a fox,m,",
            "liar.png,a fox,m,",
            "child.png,a fox,m,cut.png",
            "good.png,a fox,m,",
            "gone.png,a fox,m,",
        ),
    }
    counts = import_images(bundle(files), prompt_set="p", log=log)
    assert counts.n_created == 1
    assert {(reject.row, reject.field, reject.value) for reject in log.first} == {
        (2, "image", "cut.png"),
        (3, "image", "liar.png"),
        (4, "parent", "cut.png"),
        (6, "image", "gone.png"),
    }
    assert all(reject.cure for reject in log.first)
    assert {name for kind in ("images", "shown") for name in default_storage.listdir(kind)[0]} != set()
    assert Image.objects.get().key == ""


def test_the_same_bytes_by_two_methods_are_two_images_and_one_file(bundle: Bundle, log: RejectLog) -> None:
    files = {"a.png": tiny_png(1), "b.png": tiny_png(1), "manifest.csv": manifest("a.png,x,one,", "b.png,x,two,")}
    counts = import_images(bundle(files), prompt_set="p", log=log)
    assert counts.n_created == 2
    assert len({image.file.name for image in Image.objects.all()}) == 1


def test_equal_pictures_of_one_prompt_are_as_many_images(bundle: Bundle, log: RejectLog) -> None:
    black, green = tiny_png(0), tiny_png(7)
    files: dict[str, bytes | str] = {"a.png": black, "b.png": black, "c.png": green, "d.png": black, "e.png": black}
    rows = [
        "a.png,a fox,m,k0,",
        "b.png,a fox,m,k1,",
        "c.png,a fox,m,k2,b.png",
        "d.png,a fox,m,,",
        "e.png,a fox,m,k3,a.png",
    ]
    files["manifest.csv"] = manifest(*rows, header="image,prompt,method,key,parent")
    for dry_run in (True, False):
        counts = import_images(bundle(files), prompt_set="p", dry_run=dry_run, log=log)
        assert (counts.n_created, counts.n_unchanged, log.total) == (5, 0, 0)
    images = {image.provenance["source"]["file"]: image for image in Image.objects.select_related("parent")}
    assert {name: image.key for name, image in images.items()} == {
        "a.png": "k0", "b.png": "k1", "c.png": "k2", "d.png": "", "e.png": "k3",
    }  # fmt: skip
    assert (images["c.png"].parent, images["e.png"].parent) == (images["b.png"], images["a.png"])
    files["manifest.csv"] = manifest(*reversed(rows), header="image,prompt,method,key,parent")
    again = import_images(bundle(files), prompt_set="p", log=log)
    assert (again.n_created, again.n_unchanged, log.total, Image.objects.count()) == (0, 5, 0, 5)


def test_one_key_for_two_equal_pictures_is_refused_by_name(bundle: Bundle, log: RejectLog) -> None:
    files: dict[str, bytes | str] = {f"{name}.png": tiny_png(0) for name in "abc"}
    rows = ["a.png,a fox,m,k", "b.png,a fox,m,k", "c.png,a fox,m,k"]
    files["manifest.csv"] = manifest(*rows, header="image,prompt,method,key")
    counts = import_images(bundle(files), prompt_set="p", log=log)
    assert (counts.n_created, counts.n_unchanged) == (1, 0)
    assert [(reject.row, reject.field, reject.value) for reject in log.first] == [(3, "key", "k"), (4, "key", "k")]
    assert "row 2 has the same image" in log.first[0].problem


def test_an_image_without_a_key_gets_it_later(bundle: Bundle, log: RejectLog) -> None:
    files: dict[str, bytes | str] = {"a.png": tiny_png(0), "manifest.csv": manifest("a.png,a fox,m,")}
    import_images(bundle(files), prompt_set="p", log=log)
    files["manifest.csv"] = manifest("a.png,a fox,m,k", header="image,prompt,method,key")
    counts = import_images(bundle(files), prompt_set="p", log=log)
    assert (counts.n_created, dict(counts.made)["keys"]) == (1, 1)
    files["manifest.csv"] = manifest("a.png,a fox,m,other", header="image,prompt,method,key")
    import_images(bundle(files), prompt_set="p", log=log)
    assert sorted(Image.objects.values_list("key", flat=True)) == ["k", "other"]


@pytest.mark.parametrize(
    ("name", "n"),
    [("bundle_resunit", 3), ("bundle_xres", 3), ("bundle_nottiff", 3), ("bundle_sixty_one_bad_exif", 60)],
)
def test_odd_metadata_cost_no_picture(name: str, n: int, log: RejectLog) -> None:
    source = Source(name, CASES / f"{name}.zip")
    for created, unchanged in ((n, 0), (0, n)):
        counts = import_images(source, prompt_set="p", log=log)
        assert (counts.n_created, counts.n_unchanged, log.total) == (created, unchanged, 0)


def test_prompts_are_found_by_key_or_text_and_never_guessed(bundle: Bundle, table: Table, log: RejectLog) -> None:
    prompts = [
        {"id": "p1", "category": "", "prompt": "a fox"},
        {"id": "p2", "category": "one", "prompt": "a hen"},
        {"id": "p3", "category": "two", "prompt": "a hen"},
    ]
    import_prompts(table(prompts), prompt_set="p", log=log)
    files: dict[str, bytes | str] = {f"{i}.png": tiny_png(i) for i in range(6)}
    files["manifest.csv"] = manifest(
        "0.png,,p1", "1.png,a fox,", "2.png,a hen,", "3.png,a hen,p3", "4.png,a cow,p1", "5.png,,p9",
        header="image,prompt,prompt_id",
    )  # fmt: skip
    counts = import_images(bundle(files), prompt_set="p", log=log)
    assert counts.n_created == 3
    assert set(Image.objects.values_list("prompt__key", flat=True)) == {"p1", "p3"}
    assert [(reject.row, reject.field) for reject in log.first] == [(4, "prompt"), (6, "prompt"), (7, "prompt_key")]
    assert Prompt.objects.count() == 3


def test_the_same_file_in_two_prompt_sets_is_two_images(bundle: Bundle, log: RejectLog) -> None:
    source = bundle({"a.png": tiny_png(1), "manifest.csv": manifest("a.png,x,one,")})
    for name in ("p", "q"):
        assert import_images(source, prompt_set=name, log=log).n_created == 1


def test_a_trial_run_writes_neither_rows_nor_files(bundle: Bundle, tmp_path: Path) -> None:
    source = bundle(
        {
            "a.png": tiny_png(1),
            "b.png": tiny_png(2),
            "c.png": b"no image",
            "manifest.csv": manifest("a.png,x,one,", "b.png,x,one,a.png", "c.png,x,one,"),
        }
    )
    dry_log, log = RejectLog(), RejectLog()
    dry = import_images(source, prompt_set="p", dry_run=True, log=dry_log)
    assert not PromptSet.objects.exists()
    assert not Method.objects.exists()
    assert not (tmp_path / "media").exists()
    real = import_images(source, prompt_set="p", log=log)
    assert (dry.n_created, dry.made, dry_log.first) == (real.n_created, real.made, log.first)


def test_a_storage_that_fails_leaves_no_row(bundle: Bundle, log: RejectLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str, content: bytes) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("generation.services.image_files.put", full)
    with pytest.raises(OSError, match="no space left"):
        import_images(bundle({"a.png": tiny_png(1), "manifest.csv": manifest("a.png,x,m,")}), prompt_set="p", log=log)
    assert not Image.objects.exists()


def test_what_a_broken_off_write_left_is_replaced() -> None:
    name = "images/ab/content.png"
    put(name, b"who")
    put(name, b"whole")
    assert default_storage.size(name) == 5
    assert default_storage.listdir("images/ab")[1] == ["content.png"]


def test_workers_that_write_the_same_content_at_once_all_find_it_whole(tmp_path: Path) -> None:
    storage, content = FileSystemStorage(location=tmp_path), b"x" * 400_000
    for number in range(40):
        name, together = f"images/{number}.png", Barrier(6)

        def write(name: str = name, together: Barrier = together) -> int:
            together.wait()
            put(name, content, storage)
            return storage.size(name)

        with ThreadPoolExecutor(6) as workers:
            sizes = [one.result() for one in [workers.submit(write) for _worker in range(6)]]
        assert sizes == [len(content)] * 6
    assert len(storage.listdir("images")[1]) == 40


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"../a.png": b"x", "manifest.csv": "image,prompt\n"}, "climbs out"),
        ({"a.png": b"x"}, "no manifest"),
        ({"manifest.csv": "picture,words\na.png,fox\n"}, "missing"),
    ],
)
def test_a_bundle_that_cannot_be_taken_leaves_nothing(
    bundle: Bundle, log: RejectLog, files: dict[str, bytes | str], words: str
) -> None:
    with pytest.raises(BadFile, match=words):
        import_images(bundle(files), prompt_set="p", log=log)
    assert not Image.objects.exists()


def test_odd_metadata_are_named_once_with_the_first_row(bundle: Bundle, recwarn: pytest.WarningsRecorder) -> None:
    files = {"a.png": tiny_png(1), "b.png": with_odd_exif("PNG"), "c.jpg": with_odd_exif("JPEG")}
    manifest = "image,prompt,method\na.png,a fox,m\nb.png,a fox,m\nc.jpg,a fox,\n"
    log = RejectLog()
    import_images(bundle(files | {"manifest.csv": manifest}), prompt_set="p", log=log)
    no_method, odd = log.warnings
    assert no_method.endswith("manifest.csv: 1 item has no method and cannot be compared; the first is in row 4.")
    assert "manifest.csv: 2 images have metadata (EXIF) that cannot be read in full" in odd
    assert odd.endswith('the first is "b.png" in row 3.')
    assert [str(warning.message) for warning in recwarn] == []
    assert [Image.METHOD_IS_UNKNOWN in image.provenance for image in Image.objects.order_by("pk")] == [
        False,
        False,
        True,
    ]
