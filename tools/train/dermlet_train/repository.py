"""Where the tool's files are: in a checkout of the repository, or installed by pip.

Training, export and calibration need nothing but this package. What drives the shipped path (the core, the page's
reader of manifests, the page's packages) runs in Node and needs a checkout.
"""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "tools" / "train"
# Beside the package in a checkout; inside it where a wheel was installed.
RECIPES = SCRIPTS / "recipes" if (SCRIPTS / "recipes").is_dir() else Path(__file__).with_name("recipes")


class NeedsCheckout(FileNotFoundError):
    """The step cannot run from an installed package; the message says what to do."""


def in_checkout() -> bool:
    return (SCRIPTS / "frames.mjs").is_file()


def require_checkout(what: str) -> None:
    if not in_checkout():
        raise NeedsCheckout(
            f"{what} needs a checkout of the Dermlet repository, with Node, its packages (`npm ci`) and the built core"
            " (`npm run build`); this is an installed package. Run it in the checkout: `pip install -e tools/train`."
        )


def shipped_recipe(text: str) -> Path:
    """argparse's type of a recipe or a plan: a path, or the name of a file in `recipes/` that comes with the tool."""
    path = Path(text)
    if path.exists():
        return path
    if path.parent in (Path(), Path("recipes")) and (RECIPES / path.name).exists():
        return RECIPES / path.name
    shipped = ", ".join(sorted(path.name for path in RECIPES.glob("*.toml")))
    raise argparse.ArgumentTypeError(f"there is no file {text}; the tool comes with {shipped}")
