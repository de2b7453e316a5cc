"""A page's sheet and script are one file each, and mean what their sources mean."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from evalsite.static_files import whole_script, whole_sheet

SHEETS = {
    "app/page.css": '@import "../site/base.css";\n@import "./print.css" print;\n.page { top: 0 }\n',
    "site/base.css": '@import "./tokens.css";\n.base { top: 0 }\n',
    "site/tokens.css": ":root { --ink: black }\n",
    "app/print.css": '@import "../site/tokens.css";\n.paper { top: 0 }\n',
}
SCRIPTS = {
    "app/page.js": """import "../site/effect.js";
import { add, name as other } from "./sums.js";
import { one } from "./ones.js";
const name = "page";
said.push(name, other, add(one, one));
""",
    "app/sums.js": """import { one } from "./ones.js";
export const name = "sums";
const two = one + one;
export function add(a, b) {
  return a + b + two;
}
""",
    "app/ones.js": 'said.push("ones");\nexport const one = 1;\n',
    "site/effect.js": '(() => {\n  said.push("effect");\n})();\n',
}


def test_a_sheet_holds_each_sheet_that_it_builds_on_once() -> None:
    rules = re.findall(r"[@.:][\w-]+(?: print)?", whole_sheet("app/page.css", SHEETS.__getitem__))
    assert rules == [":root", ".base", "@media print", ".paper", ".page"]


@pytest.mark.browser
def test_a_script_runs_as_its_modules_would(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    script = whole_script("app/page.js", SCRIPTS.__getitem__)
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert page.evaluate(f"(() => {{ const said = [];\n{script}\nreturn said; }})()") == [
        "effect",
        "ones",
        "page",
        "sums",
        4,
    ]


def test_a_script_without_imports_stays_as_it_is() -> None:
    assert whole_script("site/effect.js", SCRIPTS.__getitem__) == SCRIPTS["site/effect.js"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('import * as all from "./ones.js";', "not known here"),
        ("export { a };", "not known here"),
        ("export default 1;", "not known here"),
        ('import { a } from "./page.js";', "import each other"),
    ],
)
def test_other_forms_are_refused(line: str, problem: str) -> None:
    files = {"app/page.js": 'import "./one.js";\n', "app/one.js": f"{line}\n", "app/ones.js": ""}
    with pytest.raises(ValueError, match=problem):
        whole_script("app/page.js", files.__getitem__)
