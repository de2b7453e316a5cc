"""Files in a temporary folder, as for the pages."""

from tests.annotations.conftest import _temporary_storage

__all__ = ["_temporary_storage"]
