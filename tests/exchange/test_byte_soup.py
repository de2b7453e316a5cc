"""Whatever bytes come: rows and rejects, or BadFile, and never another exception."""

import io
import zipfile
from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.bundles.archives import Limits, open_bundle
from exchange.bundles.manifests import image_rows
from exchange.images import check_image, shown_rendition
from exchange.known_files import read_prompts
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.tables.coded import read_columns
from exchange.tables.headers import Columns
from exchange.tables.rows import read_rows

from .pictures import picture


def refusal_of(work: Callable[[], object]) -> Reject | None:
    """Why the work was refused; None where it was done. Any exception but BadFile passes through."""
    try:
        work()
    except BadFile as fault:
        return fault.reject
    return None


MARKS = [
    b"",
    b"PAR1",
    b"PK\x03\x04",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"[",
    b"{",
    b"[{",
    b'"',
    b"a,b\n",
    b"\x89PNG\r\n\x1a\n",
]

soup = st.builds(bytes.__add__, st.sampled_from(MARKS), st.binary(max_size=200))
texts = st.text(alphabet='{}[]",:\\u0d8\n\r\t;ab1.eEN-\u00e9\ufeff\x00', max_size=80).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"item": ["a", "b"] * 50, "value": [1.5, None] * 50}), stream)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", "image,prompt\na.png,p\n")
        archive.writestr("a.png", picture())
    return stream.getvalue()


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """The whole file with a few bytes changed, and perhaps its end missing."""

    def change(changes: list[tuple[int, int]], end: int) -> bytes:
        content = bytearray(whole)
        for at, byte in changes:
            content[at] = byte
        return bytes(content[:end])

    spot = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255))
    return st.builds(change, st.lists(spot, max_size=6), st.just(len(whole)) | st.integers(0, len(whole)))


@settings(max_examples=300, deadline=None)
@given(soup | texts | damaged(parquet()))
@example(b"\xff\xfea")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
def test_tables(content: bytes) -> None:
    log = RejectLog()
    columns = Columns(("item",), ("value",), {"a": "item"})
    for read in (
        lambda: list(read_rows(io.BytesIO(content), name="f", log=log)),
        lambda: list(read_rows(io.BytesIO(content), name="f", columns=columns, log=log)),
        lambda: read_columns(io.BytesIO(content), name="f", columns=columns, log=log),
        lambda: list(read_prompts(io.BytesIO(content), name="f", log=log)),
    ):
        refusal = refusal_of(read)
        assert refusal is None or (refusal.problem and refusal.cure)
    for reject in log.first:
        str(reject).encode()


@settings(max_examples=200, deadline=None)
@given(soup | damaged(zipped()))
def test_bundles(content: bytes) -> None:
    def read() -> None:
        with open_bundle(io.BytesIO(content), name="z", limits=Limits(max_entry_bytes=1_000_000)) as bundle:
            for entry in bundle.names:
                refusal_of(partial(bundle.read, entry))
            list(image_rows(bundle, RejectLog()))

    refusal = refusal_of(read)
    assert refusal is None or (refusal.problem and refusal.cure)


@settings(max_examples=150, deadline=None)
@given(st.one_of(soup, *(damaged(picture(kind=kind)) for kind in ("PNG", "JPEG", "WEBP")), damaged(picture(mode="P"))))
def test_images(content: bytes) -> None:
    for read in (check_image, shown_rendition):
        refusal = refusal_of(partial(read, content, max_pixels=1_000_000))
        assert refusal is None or (refusal.problem and refusal.cure)
