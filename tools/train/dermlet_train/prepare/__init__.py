"""Step 1: merges labelled skin pictures as people have them on disk into one store, without leaks."""

from .labels import ClassMap
from .pipeline import Report, Settings, Source, prepare
from .rows import PrepareError

__all__ = ["ClassMap", "PrepareError", "Report", "Settings", "Source", "prepare"]
