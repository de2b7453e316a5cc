"""Writes docs/api.md from the docstrings of the names that `annotations.stats` exports: `python -m tests.api_page`."""

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
_HEAD = """# API of the statistics

    from annotations.stats import Ratings, krippendorff_alpha

{introduction}

This page is made from the docstrings by `make docs`.
"""
_ENTRY = re.compile(r"^\S.*\S {2,}\S")
"""A line of a list in columns, such as "unit   (n,) int"."""


def page() -> str:
    """The whole page as Markdown, read from the code without running it."""
    package = griffe.load("annotations.stats", search_paths=[ROOT], resolve_aliases=True, resolve_external=False)
    assert isinstance(package, griffe.Module)
    assert package.docstring is not None
    parts = [_HEAD.format(introduction=package.docstring.value)]
    for name in package.exports or []:
        parts += _entry(str(name), package[str(name)])
    return "\n".join(parts).rstrip() + "\n"


def _entry(name: str, member: griffe.Object | griffe.Alias) -> Iterator[str]:
    found = member.final_target if isinstance(member, griffe.Alias) else member
    yield f"\n## {name}\n"
    if isinstance(found, griffe.Class):
        yield f"Class, defined in `{found.parent.path}`.\n" if found.parent else ""
        yield _code(_signature(name, found))
        yield _text(found)
        for method in found.functions.values():
            if method.name.startswith("_") or not method.docstring:
                continue
            kind = " (property)" if "property" in method.labels else ""
            yield f"\n### {name}.{method.name}{kind}\n"
            if not kind:
                yield _code(_signature(method.name, method))
            yield _text(method)
    elif isinstance(found, griffe.Function):
        yield f"Function, defined in `{found.parent.path}`.\n" if found.parent else ""
        yield _code(_signature(name, found))
        yield _text(found)
        result = found.parent.members.get(str(found.returns)) if isinstance(found.parent, griffe.Module) else None
        if isinstance(result, griffe.Class):
            yield f"\n### {result.name}\n"
            yield f"What `{name}` returns.\n"
            yield _code(_signature(result.name, result))
            yield _text(result)


def _signature(name: str, found: griffe.Class | griffe.Function) -> str:
    parameters = [parameter for parameter in found.parameters if parameter.name not in ("self", "cls")]
    lines, is_starred = [f"{name}("], False
    for parameter in parameters:
        if parameter.kind is griffe.ParameterKind.keyword_only and not is_starred:
            lines.append("    *,")
            is_starred = True
        annotation = f": {parameter.annotation}" if parameter.annotation is not None else ""
        default = "" if parameter.default is None else f" = {parameter.default}"
        if "lambda" in default:
            default = " = ..."
        lines.append(f"    {parameter.name}{annotation}{default},")
    returns = f" -> {found.returns}" if isinstance(found, griffe.Function) and found.returns is not None else ""
    return "\n".join([*lines, f"){returns}"]) if parameters else f"{name}(){returns}"


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _text(found: griffe.Object) -> str:
    """The docstring. Lists in columns keep their lines, which Markdown would join."""
    paragraphs = []
    for paragraph in (found.docstring.value if found.docstring else "").split("\n\n"):
        lines = paragraph.splitlines()
        in_columns = sum(bool(_ENTRY.match(line)) or line.startswith("  ") for line in lines) >= max(1, len(lines) // 2)
        paragraphs.append("\n".join(["```text", *lines, "```"]) if in_columns else paragraph)
    return "\n\n".join(paragraphs)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
