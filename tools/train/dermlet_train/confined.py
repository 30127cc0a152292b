"""Work on a file that nobody vouches for, in a process of its own with bounded memory, processor time and wall time.

    confined(function, arguments, bounds, folder)

runs `function(*arguments)` in a fresh interpreter. Whatever it meets ends that process and not this one: a sentence
comes back, never a traceback. When a bound is met, and when this process is interrupted, the other is killed with all
that it started.

Where the bounds hold:
- Linux: address space (RLIMIT_AS), processor time (RLIMIT_CPU), size of written files (RLIMIT_FSIZE), wall time.
- macOS: the same calls, but the kernel does not enforce RLIMIT_AS: memory is bounded by the checks before allocation
  (`limits`) alone, and by what the machine has.
- Windows has no `resource` module: wall time alone.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .limits import GIB, WRITTEN_BYTES
from .reading import Told, plain

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_ANSWER = "answer.json"
# What libraries say when they get no memory: they raise errors of their own, or end the process.
_NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "unable to allocate",
    "failed to allocate",
    "bad_alloc",
    "failed to map segment",
)


@dataclass(frozen=True)
class Bounds:
    """`memory` in bytes of address space, `cpu` and `wall` in seconds."""

    memory: int
    cpu: float
    wall: float


class Confined(Told):
    """The work did not end well; the message is for the user."""


class BoundMet(Confined):
    """It met one of its bounds."""


def confined(function: Callable[..., None], arguments: tuple[Any, ...], bounds: Bounds, folder: Path) -> None:
    """Runs a function of a module with arguments that can be pickled; what it prints comes through. `folder` is an
    empty one of the caller's, where it finds its temporary files' place. Raises BoundMet, Confined.
    """
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[1]), *_paths()]),
        "TMPDIR": str(folder),
        "TEMP": str(folder),
        "TMP": str(folder),
        "MALLOC_ARENA_MAX": "4",  # else glibc reserves 64 MiB of address space a thread
    }
    environment.setdefault("OMP_NUM_THREADS", str(min(4, os.cpu_count() or 1)))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "dermlet_train.confined"],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # a process group of its own, to be killed as a whole
    )
    try:
        with _ended_by_sigterm():
            process.communicate(pickle.dumps((function, arguments, bounds, folder / _ANSWER)), timeout=bounds.wall)
    except subprocess.TimeoutExpired:
        raise BoundMet(f"it took longer than {_minutes(bounds.wall)}") from None
    finally:
        _kill(process)
    answer = _answer(folder / _ANSWER)
    if process.returncode == 0 and answer == {}:
        return
    if "problem" in answer:
        raise (BoundMet if answer.get("bound") else Confined)(answer["problem"])
    raise _death(process.returncode, bounds)


def _paths() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds >= 60 else f"{seconds:.3g} seconds"


def _memory(bounds: Bounds) -> str:
    return f"it needed more than {bounds.memory / GIB:.3g} GiB of memory"


def _answer(path: Path) -> dict[str, Any]:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"none": True}
    return answer if isinstance(answer, dict) else {}


def _death(status: int, bounds: Bounds) -> Confined:
    """What a process that left no answer died of."""
    if hasattr(signal, "SIGXCPU") and status == -signal.SIGXCPU:
        return BoundMet(f"it took more than {_minutes(bounds.cpu)} of processor time")
    name = signal.Signals(-status).name if status < 0 else f"status {status}"
    return BoundMet(
        f"the process that read it died ({name}): its memory, limited to {bounds.memory / GIB:.3g} GiB, was not enough,"
        " or a library failed on the file"
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process, if it runs, and whatever it started. Once it was waited for, its number may be another's."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


class _ended_by_sigterm:
    """SIGTERM ends this process by an exception, so that the other one is killed with it."""

    def __enter__(self) -> None:
        self.before: Any = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGTERM, self._raise)

    def __exit__(self, *_: object) -> None:
        if self.before is not None:
            signal.signal(signal.SIGTERM, self.before)

    @staticmethod
    def _raise(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)


def _limit(bounds: Bounds) -> None:
    """Sets this process's limits, each where the system has it and not above what already holds."""
    if resource is None:
        return
    seconds = max(1, round(bounds.cpu))
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_AS": (bounds.memory, bounds.memory),
        "RLIMIT_CPU": (seconds, seconds + 5),  # SIGXCPU, then SIGKILL
        "RLIMIT_FSIZE": (WRITTEN_BYTES, WRITTEN_BYTES),
    }
    for name, (soft, hard) in wanted.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # macOS refuses some values of RLIMIT_AS
            continue


def _is_no_memory(problem: BaseException | None) -> bool:
    while problem is not None:
        if isinstance(problem, MemoryError) or any(words in str(problem).lower() for words in _NO_MEMORY):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _quiet_libraries() -> None:
    """Native libraries write to descriptor 2 before they end the process; the tool's own words take another way."""
    own = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    os.close(silent)
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """The other process: reads its work from the caller, limits itself, works, and writes its answer last."""
    work = sys.stdin.buffer.read()
    _quiet_libraries()
    answer: dict[str, Any] = {}
    # The parent's own words: only paths and options, pickled by it a moment ago. Of the file nothing was read yet.
    function, arguments, bounds, path = pickle.loads(work)
    _limit(bounds)
    try:
        function(*arguments)
    except BaseException as problem:  # whatever a library raises on such a file becomes a sentence
        if _is_no_memory(problem):
            answer = {"problem": _memory(bounds), "bound": True}
        else:
            answer = {"problem": plain(_words(problem))}
    path.write_text(json.dumps(answer), encoding="utf-8")
    sys.stdout.flush()
    # Not by the interpreter's end: libraries' threads and finalizers have no say any more.
    os._exit(0 if not answer else 1)


def _words(problem: BaseException) -> str:
    if isinstance(problem, Told):
        return str(problem)
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename or 'a file'}: {problem.strerror}"
    return f"it cannot be read: {type(problem).__name__}: {problem}"


if __name__ == "__main__":
    main()
