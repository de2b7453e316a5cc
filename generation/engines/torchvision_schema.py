"""Lets a CUDA build of torchvision be imported next to a CPU build of torch.

The torchvision that package registries hand out is linked against CUDA. Next to a torch without CUDA its compiled part
does not load, its import then fails ("operator torchvision::nms does not exist"), and the imports of transformers,
diffusers and open_clip fail with it. Its transforms are Python and need only the two schemas that are declared here.
"""

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from threading import Lock
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_lock = Lock()
_declared: list[Any] = []  # torch forgets the schemas of a library object that nobody holds


def prepare() -> None:
    """Call it before the first import of diffusers, transformers, open_clip or torchvision; again does nothing.

    Nothing is changed where torchvision is absent, already imported, or whole.
    """
    with _lock:
        if _declared or "torchvision" in sys.modules:
            return
        found = importlib.util.find_spec("torchvision")
        if found is None or found.origin is None or _loads(Path(found.origin).parent):
            return
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for schema in _SCHEMAS:
            library.define(schema)
        _declared.append(library)


def _loads(folder: Path) -> bool:
    """Whether torchvision's compiled part loads into this torch; then it also is loaded."""
    import torch

    for path in (folder / f"_C{suffix}" for suffix in EXTENSION_SUFFIXES):
        if path.exists():
            try:
                torch.ops.load_library(path)
            except OSError:
                return False
            return True
    return False
