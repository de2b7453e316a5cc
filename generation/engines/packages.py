"""The packages that engines need, and the command that installs the missing ones."""

from importlib.util import find_spec

from generation.recipes.contract import Missing

INSTALL = 'make run, or in its virtual environment: pip install -e ".[generation]"'


def missing_packages(*names: str) -> list[Missing]:
    """One entry for each package that cannot be imported here; none of them is imported."""
    return [Missing(f"the Python package {name}", INSTALL) for name in names if find_spec(name) is None]
