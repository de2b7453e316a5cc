"""Names as they are compared: one spelling of each, the same for every importer, and names that are nearly the same."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

INVISIBLE = "".join(
    chr(code)
    for first, last in (
        *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
        *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800)),
        *((0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
    )
    for code in range(first, last + 1)
)
"""Characters without a shape of their own: joiners, direction marks, fillers, the soft hyphen, the byte order mark.

Unicode's property Default_Ignorable_Code_Point up to U+FFFF without variation selectors, and the blank of Braille.
"""
OUTER = INVISIBLE + "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""Characters that are removed from both ends of a name."""
_UNSEEN = dict.fromkeys(
    [*map(ord, INVISIBLE), *range(0xFE00, 0xFE10), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)]
)
"""Those, and characters that only choose between two forms of a character: variation selectors, tags, musical marks."""
_JOINTS = str.maketrans(dict.fromkeys("_-‐‑‒–—", " "))
_LOOK_ALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХЬаеѕіјорсухһԁԛԝ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳν",
    "ABESIJKMHOPCTYXbaesijopcyxhdqw" + "ABEZHIKMNOPTYXocjv",
)
"""Letters of Cyrillic and Greek that look like Latin ones (Unicode Technical Standard 39, confusables.txt)."""
_NUMBER = re.compile(r"([+-]?)0*([0-9]*?)(?:\.([0-9]*?)0*)?")


def identity(text: str) -> str:
    """The text as it is compared and kept: Unicode NFC, without outer white space and outer invisible characters.

    Upper and lower case, and everything between the first and the last visible character, do distinguish names.
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text.strip(OUTER))


def likeness(text: str) -> str:
    """A key that two names share if a reader would take them for the same name.

    They differ only in case, inner blanks, hyphens and underscores, invisible characters, compatibility forms
    (full-width letters, ligatures), letters of other alphabets that look like Latin ones, or the way a decimal number
    is written (1, 1.0 and 01).
    """
    plain = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text).translate(_UNSEEN).translate(_LOOK_ALIKES)
    plain = plain.casefold()
    number = _NUMBER.fullmatch(plain) if plain[:1] in "+-.0123456789" else None
    if number is not None and plain.strip("+-."):
        sign, whole, fraction = number[1], number[2] or "0", number[3]
        return f"{sign.replace('+', '')}{whole}" + (f".{fraction}" if fraction else "")
    return " ".join(plain.translate(_JOINTS).split())


def near_matches(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of two or more different names that are nearly the same, each in the order given, without repeats."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        groups[likeness(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]
