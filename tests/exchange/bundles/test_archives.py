"""Bundles: folders and zips are looked at before anything is unpacked, and nothing leads outside."""

import io
import os
import stat
import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest

from exchange.bundles.archives import Bundle, Limits, open_bundle
from exchange.bundles.names import UnsafeName, comparable, is_by_the_way, safe_name
from exchange.rejects import BadFile


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream


def names_of(source: Path | io.BytesIO, **options: Limits) -> tuple[str, ...]:
    with open_bundle(source, name="up.zip", **options) as bundle:
        return bundle.names


def refusal(source: Path | io.BytesIO, **options: Limits) -> str:
    with pytest.raises(BadFile) as caught:
        names_of(source, **options)
    assert caught.value.reject.cure
    return str(caught.value)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "safe"),
        [
            ("a/b.png", "a/b.png"),
            ("a\\b.png", "a/b.png"),
            ("./a//b.png", "a/b.png"),
            ("cafe\u0301.png", "café.png"),
            ("a..b/...png", "a..b/...png"),
        ],
    )
    def test_safe(self, name: str, safe: str) -> None:
        assert safe_name(name) == safe

    @pytest.mark.parametrize(
        "name",
        [
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a\\..\\b",
            "C:\\a",
            "c:a",
            "\\\\host\\share",
            "",
            ".",
            "a\0b",
            "a\nb",
            "x" * 2000,
        ],
    )
    def test_unsafe(self, name: str) -> None:
        with pytest.raises(UnsafeName):
            safe_name(name)

    def test_comparable(self) -> None:
        assert comparable("STRASSE.PNG") == comparable("straße.png")
        assert comparable("a.png") != comparable("b.png")

    def test_leftovers(self) -> None:
        assert [is_by_the_way(name) for name in ("__MACOSX/._a.png", "a/.DS_Store", "Thumbs.db", ".git/config")] == [
            True
        ] * 4
        assert not is_by_the_way("a/b.png")


class TestReading:
    ENTRIES = {
        "set/manifest.csv": b"image\n",
        "set/a.png": b"A" * 10_000,
        "set/.DS_Store": b"",
        "__MACOSX/set/._a.png": b"x",
    }

    def check(self, bundle: Bundle) -> None:
        assert bundle.names == ("set/a.png", "set/manifest.csv")
        assert bundle.read("set/a.png") == b"A" * 10_000
        with bundle.open("set/a.png") as stream:
            assert stream.read(3) == b"AAA"
        assert bundle.size("set/a.png") == 10_000
        assert bundle.find("a.png", beside="set/manifest.csv") == "set/a.png"
        assert bundle.find("set/A.PNG", beside="set/manifest.csv") == "set/a.png"
        assert bundle.find("b.png") is None
        with pytest.raises(UnsafeName):
            bundle.find("../a.png", beside="set/manifest.csv")

    def test_zip_as_stream_and_as_path(self, tmp_path: Path) -> None:
        stream = packed(self.ENTRIES)
        with open_bundle(stream) as bundle:
            self.check(bundle)
        path = tmp_path / "b.bin"
        path.write_bytes(stream.getvalue())
        with open_bundle(path) as bundle:
            assert bundle.name == "b.bin"
            self.check(bundle)

    def test_folder(self, tmp_path: Path) -> None:
        for name, content in self.ENTRIES.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        with open_bundle(tmp_path) as bundle:
            self.check(bundle)

    def test_names_match_across_unicode_forms(self) -> None:
        with open_bundle(packed({unicodedata.normalize("NFD", "café.png"): b"x"})) as bundle:
            assert bundle.find(unicodedata.normalize("NFC", "café.png")) == "café.png"

    def test_utf8_names_without_the_flag_that_says_so(self) -> None:
        content = packed({"Zé.png": b"x"}).getvalue()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.infolist()[0].flag_bits & 0x800
        unflagged = content.replace(struct.pack("<H", 0x800), struct.pack("<H", 0))
        assert names_of(io.BytesIO(unflagged)) == ("Zé.png",)

    @pytest.mark.parametrize(
        ("name", "codec"), [("絵.png", "cp932"), ("图.png", "gb18030"), ("кот.png", "cp866"), ("Zoë.png", "cp1252")]
    )
    def test_names_in_an_encoding_that_the_zip_does_not_say(self, name: str, codec: str) -> None:
        raw = name.encode(codec)
        stand_in = "x" * len(raw)
        content = packed({stand_in: b"picture", "plain.png": b"x"}).getvalue().replace(stand_in.encode(), raw)
        with open_bundle(io.BytesIO(content)) as bundle:
            entry = bundle.find(name)
            assert entry is not None
            assert bundle.read(entry) == b"picture"
            assert bundle.find("猫.png") is None

    def test_damaged_entry(self) -> None:
        content = bytearray(packed({"a.png": os.urandom(5_000)}, zipfile.ZIP_STORED).getvalue())
        content[1_000] ^= 0xFF
        with open_bundle(io.BytesIO(bytes(content))) as bundle, pytest.raises(BadFile, match=r"cannot be read.*CRC"):
            bundle.read("a.png")

    def test_entry_that_unpacks_to_more_than_it_declares(self) -> None:
        content = packed({"a.png": b"A" * 5_000}).getvalue()
        lying = content.replace(struct.pack("<L", 5_000), struct.pack("<L", 50))
        with open_bundle(io.BytesIO(lying)) as bundle, pytest.raises(BadFile, match="cannot be read"):
            bundle.read("a.png")


class TestRefused:
    @pytest.mark.parametrize("name", ["../a.png", "/a.png", "C:/a.png", "x/../../a.png", "..\\a.png"])
    def test_names_that_lead_outside(self, name: str) -> None:
        assert "must not be followed" in refusal(packed({"ok.png": b"", name: b""}))

    def test_names_that_begin_with_nul(self) -> None:
        content = packed({"a.png": b""}).getvalue().replace(b"a.png", b"\0.png")
        assert "control character" in refusal(io.BytesIO(content))

    @pytest.mark.parametrize("other", ["A.PNG", "a.png/", "./a.png", "ａ.png"])
    def test_names_that_some_file_systems_take_for_the_same(self, other: str) -> None:
        if other.endswith("/"):
            assert names_of(packed({"a.png": b"", other: b""})) == ("a.png",)  # a folder is not a file
        else:
            assert "a name of its own" in refusal(packed({"a.png": b"", other: b""}))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_the_same_name_twice(self) -> None:
        stream = packed({"a.png": b"1"})
        with zipfile.ZipFile(stream, "a") as archive:
            archive.writestr("a.png", b"2")
        assert "twice" in refusal(stream)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
    def test_links_and_devices_in_a_zip(self, kind: int) -> None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            info = zipfile.ZipInfo("a.png")
            info.external_attr = (kind | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        assert "is a link" in refusal(stream) or "no regular file" in refusal(stream)

    @pytest.mark.parametrize("target", ["/etc/passwd", "real.png", "."])
    def test_links_in_a_folder(self, target: str, tmp_path: Path) -> None:
        (tmp_path / "real.png").write_bytes(b"x")
        (tmp_path / "a.png").symlink_to(target)
        assert '"a.png" is a link' in refusal(tmp_path)

    def test_a_file_that_becomes_a_link_after_it_was_listed(self, tmp_path: Path) -> None:
        secret, folder = tmp_path / "secret", tmp_path / "set"
        secret.write_bytes(b"x")
        folder.mkdir()
        (folder / "a.png").write_bytes(b"y")
        with open_bundle(folder) as bundle:
            (folder / "a.png").unlink()
            (folder / "a.png").symlink_to(secret)
            with pytest.raises(BadFile, match="cannot be read"):
                bundle.read("a.png")

    def test_an_empty_zip_is_not_our_error(self) -> None:
        assert names_of(packed({})) == ()

    def test_encrypted(self) -> None:
        content = bytearray(packed({"a.png": b"x"}).getvalue())
        content[content.index(b"PK\x01\x02") + 8] |= 1
        assert "encrypted" in refusal(io.BytesIO(bytes(content)))

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compression(self, method: int) -> None:
        assert "deflate" in refusal(packed({"a.png": b"x"}, method))

    def test_bombs(self) -> None:
        bomb = packed({"a.png": b"\0" * 6_000_000})
        assert "more than 100 times" in refusal(bomb)
        many = packed({f"{i}.png": b"\0" * 500_000 for i in range(12)})
        assert "the archive unpacks to" in refusal(many)
        assert names_of(packed({"a.csv": b"\0" * 1_000_000})) == ("a.csv",), "small texts may compress well"

    def test_overlapping_entries(self) -> None:
        stream = packed({"a.png": b"A" * 500, "b.png": b"B" * 500}, zipfile.ZIP_STORED)
        content = stream.getvalue()
        with zipfile.ZipFile(stream) as archive:
            second = archive.getinfo("b.png").header_offset
        at = content.rindex(b"b.png") - 4  # the offset is the last field before the name in the directory
        assert struct.unpack_from("<L", content, at)[0] == second
        assert "overlaps" in refusal(io.BytesIO(content[:at] + struct.pack("<L", 0) + content[at + 4 :]))

    def test_limits(self, tmp_path: Path) -> None:
        entries = {"a.png": os.urandom(1000), "b.png": os.urandom(1000)}
        for name, content in entries.items():
            (tmp_path / name).write_bytes(content)
        for source in (packed(entries), tmp_path):
            assert "more than 1" in refusal(source, limits=Limits(max_entries=1))
            assert "more than 1500 bytes in all" in refusal(source, limits=Limits(max_total_bytes=1500))
            assert '"a.png" has 1000 bytes' in refusal(source, limits=Limits(max_entry_bytes=999))

    @pytest.mark.slow
    def test_number_of_entries_is_known_before_they_are_listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = packed({f"{i}": b"" for i in range(70_000)}, zipfile.ZIP_STORED).getvalue()  # zip64 counts
        monkeypatch.setattr(zipfile, "ZipFile", None)
        assert "70000 entries, more than 500" in refusal(io.BytesIO(content), limits=Limits(max_entries=500))

    def test_a_directory_that_lies_about_itself(self) -> None:
        whole = packed({"a.png": b"A" * 100}).getvalue()
        end = whole.rfind(b"PK\x05\x06")
        for lie in (b"\xff" * 12, b"\x09" * 4):
            content = whole[: end + 8] + lie + whole[end + 8 + len(lie) :]
            assert "directory is damaged" in refusal(io.BytesIO(content))

    def test_no_zip_and_half_a_zip(self, tmp_path: Path) -> None:
        whole = packed({"a.png": os.urandom(200_000)}).getvalue()
        assert "cut short" in refusal(io.BytesIO(whole[:150_000]))
        assert "neither a zip nor a folder" in refusal(io.BytesIO(b"image,prompt\n"))
        assert "neither a zip nor a folder" in refusal(io.BytesIO(b""))
        assert "cannot be opened" in refusal(tmp_path / "none.zip")
        assert names_of(io.BytesIO(b"#!/bin/sh\n" + whole)) == ("a.png",), "a zip may follow other bytes"
