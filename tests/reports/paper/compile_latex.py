"""Compiles a report's LaTeX in pages like those of four venues, and names every box that is too wide.

    python -m tests.reports.paper.compile_latex FOLDER [FOLDER …]

FOLDER is what `manage.py report` or `analyze` wrote, or an unpacked figure of the explorer. Needs pdflatex and BibTeX
with geometry, booktabs, graphicx and natbib (on Debian: texlive-latex-extra and texlive-fonts-recommended), which the
tests do not have. The pages are written here, by the sizes that each venue's instructions give; they hold no style file
of others. Ends with 1 where something did not compile, was too wide, or was defined twice or not at all.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VENUES = {
    "article": r"\documentclass{article}",
    "like NeurIPS": r"\documentclass{article}\usepackage{times}"
    r"\usepackage[letterpaper,textwidth=5.5in,textheight=9in]{geometry}",
    "like CVPR": r"\documentclass[10pt,twocolumn]{article}\usepackage{times}"
    r"\usepackage[letterpaper,textwidth=6.875in,textheight=8.875in,columnsep=0.3125in]{geometry}",
    "like ACL": r"\documentclass[11pt,twocolumn]{article}\usepackage{times}"
    r"\usepackage[a4paper,textwidth=16cm,textheight=24.7cm,columnsep=0.6cm]{geometry}",
}
PACKAGES = (
    r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{booktabs,graphicx}\usepackage[numbers]{natbib}"
)
FAULTS = re.compile(
    r"^(?:! .*|Overfull \\hbox.*|.*Warning: (?:Reference|Citation|Label).*|.*Float too large.*)$", re.MULTILINE
)
PAPERS = (("report", "methods", "figures"), ("report-short",), ("figure",))
"""What a paper takes in together: the full and the short tables have the same labels."""


def compiled(inputs: list[str], head: str, into: Path, *, lists: bool = False) -> list[str]:
    """What is wrong with these files, which lie in `into`, on such pages; the paper is paper.pdf there.

    lists: whether the paper begins with its lists of tables and figures, which repeat the captions
    """
    contents = [r"\listoftables", r"\listoffigures", r"\clearpage"] if lists else []
    lines = [head, PACKAGES, r"\begin{document}", *contents, *(rf"\input{{{name}}}\clearpage" for name in inputs)]
    cites = "methods" in inputs
    if cites:
        lines.append(r"\bibliographystyle{plainnat}\bibliography{references}")
    (into / "paper.tex").write_text("\n".join([*lines, r"\end{document}", ""]))
    said = ""
    for program in ("pdflatex", "bibtex", "pdflatex", "pdflatex") if cites else ("pdflatex", "pdflatex"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not on this machine: on Debian, install texlive-latex-extra")
        command = [program, *(["-interaction=nonstopmode"] if program == "pdflatex" else []), "paper"]
        done = subprocess.run(command, cwd=into, capture_output=True, check=False)
        said = done.stdout.decode("utf-8", "replace")
        if program == "bibtex" and done.returncode:
            return [said]
    return FAULTS.findall(said)


def main(folders: list[Path]) -> int:
    n_faults = 0
    for folder in folders:
        for venue, head in VENUES.items():
            for paper in PAPERS:
                inputs = [name for name in paper if (folder / f"{name}.tex").exists()]
                if not inputs:
                    continue
                with tempfile.TemporaryDirectory() as name:
                    into = Path(name) / "paper"
                    shutil.copytree(folder, into)
                    faults = compiled(inputs, head, into)
                n_faults += len(faults)
                lines = [f"{folder.name}, {venue}, {', '.join(inputs)}: {len(faults) or 'no'} faults", *faults]
                sys.stdout.write("\n    ".join(lines) + "\n")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
