"""One source as BibTeX, and as texts and lists name it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """One entry. `fields` are BibTeX's own beyond author, title and year, in the order written."""

    key: str
    kind: str
    author: str
    title: str
    year: int
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def short(self) -> str:
        """Author and year as a text names them: Cameron et al. 2011."""
        names = [name.split(",")[0].strip("{}") for name in self.author.split(" and ")]
        who = names[0] if len(names) == 1 else " & ".join(names) if len(names) == 2 else f"{names[0]} et al."
        return f"{_plain(who)} {self.year}"

    @property
    def long(self) -> str:
        """The entry as a line of a list of references."""
        found = dict(self.fields)
        place = found.get("journal") or found.get("booktitle") or found.get("publisher") or found.get("howpublished")
        volume = found.get("volume", "") + (f"({found['number']})" if "number" in found else "")
        pages = found.get("pages", "")
        where = " ".join(filter(None, (place, volume))) + (f":{pages}" if pages else "")
        authors = "; ".join(self.author.split(" and "))
        return _plain(f"{authors} ({self.year}). {self.title}. {where}.")

    def bibtex(self) -> str:
        listed = (("author", self.author), ("title", f"{{{self.title}}}"), ("year", str(self.year)), *self.fields)
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in listed)
        return f"@{self.kind}{{{self.key},\n{body}}}\n"


def _plain(text: str) -> str:
    for accented, letter in (
        ("--", "–"),
        (r"{\"a}", "ä"),
        (r"{\'e}", "é"),
        (r"{\'o}", "ó"),
        (r"{\o}", "ø"),
        ("{", ""),
        ("}", ""),
        (r"\&", "&"),
    ):
        text = text.replace(accented, letter)
    return text


def article(key: str, author: str, title: str, year: int, journal: str, volume: str, pages: str) -> Reference:
    """An article. volume: with its number, as 71/5."""
    name, _, number = volume.partition("/")
    numbered = (("number", number),) if number else ()
    return Reference(
        key, "article", author, title, year, (("journal", journal), ("volume", name), *numbered, ("pages", pages))
    )
