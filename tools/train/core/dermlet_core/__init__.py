"""Dermlet's C++ core, the code that runs in the page as WebAssembly, as a Python module.

`Classifier` (classifier.py) is the whole way from a file's bytes to a Result. The functions below are its parts. They
take and give plain data with the field names of `wasm_src/bindings/dermlet.d.ts`, which says what each field means;
tensors and pixels are NumPy arrays that own what the core allocated.

- `sniff(bytes)`: format and whether it is decoded elsewhere.
- `inspect(bytes)`: what a file's header says; nothing is decoded.
- `read(source)`: the whole upright picture in sRGB, `pixels` (H, W, 3) uint8, and its `source`.
- `prepare(source, spec, crop=None)`: `tensor` (views, 3, H, W) or (views, H, W, 3) float32, `view` and `preview`
  (H, W, 3) uint8, `whole`, region, source, quality.
- `interpret(pictures, combination=None)`: decision, heat map, embedding of one lesion's one or two pictures.
- `judge_quality`, `locate`, `recognise_modality`: the steps between.
- `resample(pixels, size, target, filter)`: RGB pixels at another size, as Pillow's `Image.resize`.

`source` is a whole JPEG, PNG or BMP file, or of a format that is decoded elsewhere `{"header": ..., "pixels": ...}`.
What does not fit raises `DermletError` with a stable `code`. Every call releases the GIL while it works and keeps
nothing: any number of threads may call at once.
"""

from .errors import DermletError

try:
    from _dermlet_core import (
        inspect,
        interpret,
        judge_quality,
        locate,
        prepare,
        read,
        recognise_modality,
        resample,
        sniff,
    )
except ModuleNotFoundError as problem:
    if problem.name != "_dermlet_core":
        raise
    raise ImportError(
        "the C++ module of dermlet_core is not built: pip install ./tools/train/core, in a checkout of the repository"
    ) from problem

from .classifier import Classifier

__all__ = [
    "Classifier",
    "DermletError",
    "inspect",
    "interpret",
    "judge_quality",
    "locate",
    "prepare",
    "read",
    "recognise_modality",
    "resample",
    "sniff",
]
