"""Decodes every source picture once into the store's pixel file; a journal makes the step resumable.

`pixels.u8` and `thumbs.u8` only ever grow, and a line of `decoded.jsonl` is written after the bytes that it speaks of.
A run that is cut off loses at most the pictures of its last batch; a rerun decodes only files whose size or
modification time changed. `thumbs.u8` holds the 64 x 64 grey copies that duplicates are sought with.

Decoding follows what the page does (wasm_src/core/formats/decode.h): EXIF orientation applied, colour profile converted
to sRGB, transparency laid over white, the high byte of 16-bit samples. The reader `core` is that very code, as a Python
module, and is what reads where the module is installed; `pillow` is Pillow, whose bytes are the core's, while converted
colour profiles differ by at most a level (tests/test_core_module.py, test_core_parity.py). What the core does not
decode is Pillow's in both: HEIC by libheif, as in Node and in browsers that cannot do it themselves.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ..limits import MOST_PICTURE_BYTES
from ..reading import plain, read_bytes
from .rows import PrepareError

try:
    import pi_heif  # libheif without its encoders, whose licence is another
except ImportError:  # an older environment: such a picture is reported with what to install
    pi_heif = None
else:
    pi_heif.register_heif_opener()

try:
    import fcntl
except ImportError:  # not on Windows: two runs into one folder are not noticed there
    fcntl = None  # type: ignore[assignment]

THUMB = 64  # pixels, side of the grey copy
_BATCH = 128  # pictures between two flushes
_VERSION = 1
_SRGB = ImageCms.createProfile("sRGB")

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, Image.DecompressionBombError, MemoryError)

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Decoded:
    """What is known of one source file. `error` is set, and the rest zero or empty, when the file cannot be read.

    `sha256` is of the file's bytes, `pixels` of the upright RGB pixels and their size before shrinking: it finds copies
    that differ in metadata only.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str = ""
    pixels: str = ""
    source_width: int = 0
    source_height: int = 0
    width: int = 0
    height: int = 0
    offset: int = 0
    thumb: int = -1
    error: str = ""


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Converts by the embedded profile; a profile that cannot be read is ignored, as browsers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return (
            ImageCms.profileToProfile(picture, source, _SRGB, ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB")
            or picture
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def upright_rgb(data: bytes) -> Image.Image:
    """Bytes of a picture file -> upright RGB in sRGB. Raises one of `UNREADABLE` as Pillow and libheif do on what they
    cannot read wholly.
    """
    if pi_heif is None and data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        raise UnidentifiedImageError(
            "HEIC is read by the package pi-heif, which is not installed: pip install -r requirements.txt, or save it"
            " as JPEG"
        )
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
        if picture.mode.startswith("I"):  # 16 bits: Pillow's own conversion clips to white
            return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)).convert(
                "RGB"
            )
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture.convert("RGBA"))
        if profile and picture.mode in ("RGB", "CMYK"):
            picture = _to_srgb(picture, profile)
        return picture.convert("RGB")


READERS = ("pillow", "core")
AUTO = "auto"  # the reader that the store was begun with, or else reader_here()


def reader_here() -> str:
    """`core` where its module is installed, else `pillow`."""
    return "core" if find_spec("dermlet_core") else "pillow"


class CoreRefused(Exception):
    """A file that the core refuses, in its words."""


def read_picture(data: bytes, reader: str = "pillow") -> Image.Image:
    """upright_rgb(), by one of `READERS`. Raises also CoreRefused, and PrepareError where the core is not built."""
    if reader == "pillow":
        return upright_rgb(data)
    try:
        import dermlet_core
    except ImportError as problem:
        raise PrepareError(f"the reader core: {problem}; --reader pillow does without it") from problem
    try:
        if dermlet_core.sniff(data)["foreign"]:
            return upright_rgb(data)
    except dermlet_core.DermletError:
        return upright_rgb(data)  # a format that the page does not know
    try:
        return Image.fromarray(dermlet_core.read(data)["pixels"])
    except dermlet_core.DermletError as error:
        raise CoreRefused(str(error)) from error


def shrink(picture: Image.Image, short_side: int) -> Image.Image:
    """Bicubic with Pillow's antialiasing; a picture is never enlarged. `short_side` in pixels."""
    scale = short_side / min(picture.size)
    if scale >= 1:
        return picture
    return picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BICUBIC
    )


def thumbnail(picture: Image.Image) -> np.ndarray:
    """(64, 64) uint8 grey, the whole frame squashed: a copy that another archive squashed or stretched still agrees."""
    return np.asarray(
        picture.convert("L").resize(
            (THUMB, THUMB), Image.Resampling.BOX if min(picture.size) >= THUMB else Image.Resampling.BILINEAR
        )
    )


def windowed(pool: ThreadPoolExecutor, work: Callable[[A], B], items: Iterable[A], ahead: int) -> Iterator[B]:
    """Like `pool.map`, in order, with at most `ahead` results waiting in memory."""
    waiting: deque[Future[B]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class PictureCache:
    """The pixel file of a store folder with its journal. Use as a context manager; one process at a time."""

    def __init__(self, folder: Path, short_side: int, reader: str = AUTO) -> None:
        """reader: one of READERS, or AUTO, which is one of them once the folder is open."""
        self.folder, self.short_side, self.reader = folder, short_side, reader
        self.known: dict[str, Decoded] = {}
        self._end = self._thumbs = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        journal = self.folder / "decoded.jsonl"
        if not journal.exists() and (self.folder / "pixels.u8").exists():
            raise PrepareError(
                f"{self.folder} holds a store that another tool wrote (no decoded.jsonl): choose an empty folder"
            )
        self._journal = journal.open("a+")
        try:
            if fcntl:
                fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._journal.close()
            raise PrepareError(f"{self.folder} is being written by another run") from error
        self._recover()
        self._pixels = (self.folder / "pixels.u8").open("ab")
        self._grey = (self.folder / "thumbs.u8").open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in (self._pixels, self._grey, self._journal):
            handle.close()

    def _recover(self) -> None:
        """Reads the journal up to its last whole line whose bytes are there, and cuts everything after it."""
        sizes = [
            path.stat().st_size if (path := self.folder / name).exists() else 0 for name in ("pixels.u8", "thumbs.u8")
        ]
        self._journal.seek(0)
        kept = 0
        for number, line in enumerate(iter(self._journal.readline, "")):
            try:
                values = json.loads(line) if line.endswith("\n") else None
            except json.JSONDecodeError:
                values = None
            if number == 0 and values:
                begun = {"reader": "pillow"} | values
                if self.reader == AUTO:
                    self.reader = str(begun["reader"])
                if begun != self._head():
                    raise PrepareError(
                        f"{self.folder} was prepared with {values}, now asked for a shorter side of {self.short_side}"
                        f" and the reader {self.reader}: choose another folder"
                    )
            elif values:
                entry = Decoded(**values)
                if not entry.error:
                    end, thumbs = entry.offset + entry.width * entry.height * 3, entry.thumb + 1
                    if end > sizes[0] or thumbs * THUMB * THUMB > sizes[1]:
                        break
                    self._end, self._thumbs = max(self._end, end), max(self._thumbs, thumbs)
                self.known[entry.path] = entry
            else:
                break
            kept = self._journal.tell()
        self._journal.truncate(kept)
        for name, end in (("pixels.u8", self._end), ("thumbs.u8", self._thumbs * THUMB * THUMB)):
            if (self.folder / name).exists():
                with (self.folder / name).open("r+b") as handle:
                    handle.truncate(end)
        if self.reader == AUTO:
            self.reader = reader_here()
        if not kept:
            self._journal.write(json.dumps(self._head()) + "\n")
            self._journal.flush()

    def _head(self) -> dict[str, int | str]:
        """The journal's first line. Those of before there were two readers name none."""
        return {"version": _VERSION, "short_side": self.short_side, "reader": self.reader}

    def _read(self, path: Path, before: Mapping[tuple[str, str], Decoded]) -> tuple[Decoded, bytes, bytes]:
        """One file's entry, pixels and grey copy; no pixels where the store holds those of the same bytes (`before`, by
        the file's name and SHA-256).
        """
        stat = path.stat()
        try:
            data = read_bytes(path, MOST_PICTURE_BYTES)
            sha256 = hashlib.sha256(data).hexdigest()
            own = self.known.get(str(path))
            if kept := own if own and own.sha256 == sha256 else before.get((path.name, sha256)):
                entry = replace(kept, path=str(path), size=stat.st_size, mtime_ns=stat.st_mtime_ns)
                return entry, b"", b""
            picture = read_picture(data, self.reader)
            if min(picture.size) < 8:
                raise ValueError(f"only {picture.width} x {picture.height} pixels")
        except (CoreRefused, *UNREADABLE) as error:
            return (
                Decoded(
                    str(path),
                    stat.st_size,
                    stat.st_mtime_ns,
                    error=plain(f"{type(error).__name__}: {error}"[:200].replace(str(path), path.name)),
                ),
                b"",
                b"",
            )
        digest = hashlib.sha256(f"{picture.width}x{picture.height}:".encode())
        digest.update(picture.tobytes())
        small = shrink(picture, self.short_side)
        entry = Decoded(
            str(path),
            stat.st_size,
            stat.st_mtime_ns,
            sha256,
            digest.hexdigest(),
            *picture.size,
            *small.size,
        )
        return entry, small.tobytes(), thumbnail(small).tobytes()

    def _unchanged(self, path: Path) -> bool:
        entry, stat = self.known.get(str(path)), path.stat()
        return entry is not None and (entry.size, entry.mtime_ns) == (stat.st_size, stat.st_mtime_ns)

    def decode(self, paths: list[Path], workers: int, progress: Callable[[int, int], None]) -> int:
        """Decodes what is new or changed; afterwards `known[str(path)]` holds every path. Returns how many files were
        decoded. A file that only has another date or place than before keeps its pixels where they are, so that a
        training resumes on a copied or newly mounted folder.
        """
        before = {(Path(entry.path).name, entry.sha256): entry for entry in self.known.values() if not entry.error}
        decoded = 0
        todo = [path for path in dict.fromkeys(paths) if not self._unchanged(path)]
        lines: list[str] = []

        def flush() -> None:
            self._pixels.flush()
            self._grey.flush()
            self._journal.write("".join(lines))
            self._journal.flush()
            lines.clear()

        def read(path: Path) -> tuple[Decoded, bytes, bytes]:
            return self._read(path, before)

        with ThreadPoolExecutor(workers) as pool:
            for number, (entry, pixels, grey) in enumerate(windowed(pool, read, todo, 4 * workers), 1):
                if pixels:
                    entry = replace(entry, offset=self._end, thumb=self._thumbs)
                    self._end += self._pixels.write(pixels)
                    self._grey.write(grey)
                    self._thumbs += 1
                decoded += bool(pixels or entry.error)
                self.known[entry.path] = entry
                lines.append(json.dumps(asdict(entry)) + "\n")
                if number % _BATCH == 0 or number == len(todo):
                    flush()
                    progress(number, len(todo))
        return decoded

    def thumbs(self, entries: list[Decoded]) -> np.ndarray:
        """(N, 64, 64) uint8 grey copies of readable entries."""
        self._grey.flush()
        if not entries:
            return np.empty((0, THUMB, THUMB), np.uint8)
        mapped = np.memmap(self.folder / "thumbs.u8", np.uint8, "r").reshape(-1, THUMB, THUMB)
        return mapped[[entry.thumb for entry in entries]]
