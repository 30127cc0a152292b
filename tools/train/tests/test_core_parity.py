"""The pictures that a network is trained and evaluated on are those that the page shows it: the store's pixels and
`evaluation_view` against the C++ core.

Byte for byte wherever the store keeps a picture as it is (shorter side up to 256: nearly all of the data). Larger
pictures are brought down once for the store and once for the network, where the core does it in one step; and colour
profiles are converted by LittleCMS here, by tables there. How far these two are apart is measured below and bounded.
"""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dermlet_train.augment import evaluation_view
from dermlet_train.prepare.pictures import shrink, upright_rgb

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "tests" / "pictures"
SHORT_SIDE = 256


@pytest.fixture(scope="session")
def module() -> Path:
    """The folder of the built module; it is built if it is not there."""
    folder = ROOT / "build" / "wasm"
    if not (folder / "dermlet.wasm").exists():
        build = "const { wasm } = await import('./tools/build/artifacts.mjs'); await wasm();"
        subprocess.run(["node", "--input-type=module", "-e", build], cwd=ROOT, check=True, timeout=550)
    return folder


def core_views(
    module: Path, files: list[Path], size: int, fit: str, scratch: Path, crop_pct: float = 1.0
) -> list[np.ndarray]:
    requests = "\n".join(
        json.dumps({"path": str(file), "size": size, "fit": fit, "cropPct": crop_pct}) for file in files
    )
    out = scratch / "views.rgb"
    subprocess.run(
        ["node", Path(__file__).with_name("core_views.mjs"), module, out],
        input=requests,
        text=True,
        check=True,
        timeout=120,
    )
    return list(np.fromfile(out, np.uint8).reshape(len(files), size, size, 3))


def trained_view(file: Path, size: int, fit: str = "cover", crop_pct: float = 1.0) -> np.ndarray:
    """What training and evaluation read: the store's picture (test_prepare_pipeline proves that it is this one), then
    the network's view of it.
    """
    return evaluation_view(np.asarray(shrink(upright_rgb(file.read_bytes()), SHORT_SIDE)), size, fit, crop_pct)


def drawn(width: int, height: int, seed: int) -> Image.Image:
    """Smooth skin, a spot, grain: everything that a coder treats differently."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([220 - 40 * x / width, 170 - 30 * y / height, 150 + 20 * np.sin(x / 9)], -1) + rng.normal(
        0, 8, (height, width, 1)
    )
    pixels[np.hypot(x - width * 0.45, y - height * 0.55) < min(width, height) * 0.25] = (90, 50, 45)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


JPEGS = {
    "420": {"quality": 88},
    "422-odd": {"quality": 75, "subsampling": 1},
    "444": {"quality": 95, "subsampling": 0},
    "progressive": {"quality": 80, "progressive": True},
    "optimised": {"quality": 60, "optimize": True},
    "restart": {"quality": 85, "restart_marker_blocks": 3},
    "coarse": {"quality": 25},
}
SIZES = ((320, 256), (256, 301), (211, 173), (600, 131))


def written(folder: Path) -> list[Path]:
    """Files of every kind, shorter side up to 256."""
    files = []
    for n, (name, options) in enumerate(JPEGS.items()):
        for width, height in SIZES[: 2 + n % 3]:
            files.append(folder / f"{name}-{width}x{height}.jpg")
            drawn(width, height, n).save(files[-1], "JPEG", **options)
    picture = drawn(*SIZES[0], 9)
    for name, image in {
        "rgb": picture,
        "grey": picture.convert("L"),
        "palette": picture.quantize(64),
        "alpha": Image.merge("RGBA", (*picture.split(), picture.convert("L"))),
        "grey-alpha": Image.merge("LA", (picture.convert("L"), picture.split()[2])),
    }.items():
        files.append(folder / f"{name}.png")
        image.save(files[-1])
    files.append(folder / "grey.jpg")
    picture.convert("L").save(files[-1], quality=85)
    files.append(folder / "rgb.bmp")
    picture.save(files[-1])
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files.append(folder / f"orientation-{orientation}.jpg")
        drawn(240, 180, 20 + orientation).save(files[-1], quality=90, exif=exif)
    return files


@pytest.mark.parametrize(
    ("size", "fit", "crop_pct"),
    [(224, "cover", 1.0), (192, "cover", 0.875), (96, "stretch", 1.0), (96, "stretch", 0.875)],
)
def test_the_same_bytes(module: Path, tmp_path: Path, size: int, fit: str, crop_pct: float) -> None:
    files = written(tmp_path)
    differing = {}
    for file, view in zip(files, core_views(module, files, size, fit, tmp_path, crop_pct), strict=True):
        difference = np.abs(view.astype(int) - trained_view(file, size, fit, crop_pct))
        if difference.any():
            differing[file.name] = int(difference.max())
    assert not differing, "greatest difference by file"


def test_colour_profiles_agree_within_a_level(module: Path, tmp_path: Path) -> None:
    files = [PICTURES / name for name in ("p3.jpg", "adobe-rgb.png", "srgb-profile.jpg", "swapped-channels.png")]
    assert all(Image.open(file).info.get("icc_profile") for file in files)
    for file, view in zip(files, core_views(module, files, 96, "cover", tmp_path), strict=True):
        with Image.open(io.BytesIO(file.read_bytes())) as opened:
            assert min(opened.size) <= SHORT_SIDE, "nothing but the profile may differ"
        assert np.abs(view.astype(int) - trained_view(file, 96)).max() <= 1, file.name


def test_larger_pictures_differ_by_the_step_between_alone(module: Path, tmp_path: Path) -> None:
    """Shrinking in two steps instead of one: 1 to 2 levels on average on these grainy ones, more along hard edges;
    augmentation hides as much.

    In one step they are the same bytes, up to the size from which the core reduces a JPEG while it decodes (4 times the
    input's side).
    """
    files = []
    for n, (width, height) in enumerate(((1024, 768), (600, 450), (1000, 1300))):
        files.append(tmp_path / f"{width}.jpg")
        drawn(width, height, 30 + n).save(files[-1], "JPEG", quality=90)
    for file, view in zip(files, core_views(module, files, 224, "cover", tmp_path), strict=True):
        assert np.abs(view.astype(int) - trained_view(file, 224)).mean() < 2.5, file.name
        direct = np.abs(view.astype(int) - evaluation_view(np.asarray(upright_rgb(file.read_bytes())), 224))
        assert direct.max() == 0 if file.stem != "1000" else direct.mean() < 0.5, file.name
