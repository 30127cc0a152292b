"""Work in a process of its own meets its bounds, and a sentence comes back."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dermlet_train import confined as room
from dermlet_train.confined import BoundMet, Bounds, Confined, confined
from dermlet_train.limits import GIB, MIB
from dermlet_train.reading import FileRefused

TESTS = Path(__file__).resolve().parent
WIDE = Bounds(4 * GIB, 60, 60)
posix = pytest.mark.skipif(os.name != "posix", reason="the bound is POSIX's")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")


@pytest.fixture(autouse=True)
def functions_of_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


# What the other process runs


def leave(path: Path, text: str) -> None:
    path.write_text(text)
    print("said on the way")


def wait_for_ever() -> None:
    time.sleep(600)


def compute_for_ever() -> None:
    while True:
        pass


def take_memory(size: int) -> None:
    bytearray(size)


def die(number: int) -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.kill(os.getpid(), number)


def read_beyond() -> None:
    ctypes.string_at(0)


def raise_it(problem: BaseException) -> None:
    raise problem


def recurse() -> None:
    recurse()


def start_another(path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    path.write_text(str(child.pid))
    time.sleep(600)


def write_much(path: Path, size: int) -> None:
    with path.open("wb") as sink:
        sink.truncate(size)


def limits_of(path: Path) -> None:
    import resource

    kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)
    path.write_text(repr([resource.getrlimit(kind)[0] for kind in kinds]))


# Tests


def refused(function, *arguments, bounds: Bounds = WIDE, folder: Path) -> Confined:
    with pytest.raises(Confined) as caught:
        confined(function, arguments, bounds, folder)
    return caught.value


def test_the_work_is_done_and_its_words_come_through(tmp_path, capfd):
    confined(leave, (tmp_path / "a.txt", "done"), WIDE, tmp_path)
    assert (tmp_path / "a.txt").read_text() == "done"
    assert capfd.readouterr().out == "said on the way\n"


@posix
def test_the_limits_are_set_before_the_work(tmp_path):
    confined(limits_of, (tmp_path / "limits",), Bounds(3 * GIB, 17, 60), tmp_path)
    assert (tmp_path / "limits").read_text() == repr([3 * GIB, 17, 0])


@linux
def test_memory(tmp_path):
    problem = refused(take_memory, 8 * GIB, bounds=Bounds(GIB, 60, 60), folder=tmp_path)
    assert isinstance(problem, BoundMet) and "more than 1 GiB of memory" in str(problem)
    confined(take_memory, (256 * MIB,), Bounds(GIB, 60, 60), tmp_path)


@posix
def test_processor_time(tmp_path):
    began = time.monotonic()
    problem = refused(compute_for_ever, bounds=Bounds(GIB, 1, 120), folder=tmp_path)
    assert isinstance(problem, BoundMet) and "1 seconds of processor time" in str(problem)
    assert time.monotonic() - began < 60


def test_wall_time(tmp_path):
    began = time.monotonic()
    problem = refused(wait_for_ever, bounds=Bounds(GIB, 60, 2), folder=tmp_path)
    assert isinstance(problem, BoundMet) and "longer than 2 seconds" in str(problem)
    assert time.monotonic() - began < 60


def gone(pid: int) -> bool:
    """Within seconds; a process that nobody waits for yet is gone as well."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


@posix
def test_what_it_started_is_killed_with_it(tmp_path):
    refused(start_another, tmp_path / "pid", bounds=Bounds(GIB, 60, 4), folder=tmp_path)
    assert gone(int((tmp_path / "pid").read_text()))


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupting_the_tool_kills_it_too(tmp_path, number):
    script = (
        "from pathlib import Path; import test_confined as t; from dermlet_train.confined import confined;"
        f" confined(t.start_another, (Path({str(tmp_path / 'pid')!r}),), t.WIDE, Path({str(tmp_path)!r}))"
    )
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL
    ) as tool:
        for _ in range(300):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.1)
        tool.send_signal(number)
        assert tool.wait(timeout=30) != 0
    assert gone(int((tmp_path / "pid").read_text()))


@posix
@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
def test_a_process_that_dies_is_told_without_its_noise(tmp_path, capfd, number):
    problem = refused(die, number, folder=tmp_path)
    assert isinstance(problem, BoundMet) and number.name in str(problem)
    assert capfd.readouterr().err == ""


@posix
def test_a_library_that_crashes_is_told(tmp_path, capfd):
    assert "SIGSEGV" in str(refused(read_beyond, folder=tmp_path))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (FileRefused(Path("a.h5"), "is a pipe"), "a.h5: is a pipe"),
        (Confined("a sentence of the tool's own"), "a sentence of the tool's own"),
        (FileNotFoundError(2, "No such file", "a.h5"), "a.h5: No such file"),
        (ZeroDivisionError("by zero"), "it cannot be read: ZeroDivisionError: by zero"),
        (SystemExit("out"), "it cannot be read: SystemExit: out"),
        (ValueError("\x1b[2J\u202e!"), r"it cannot be read: ValueError: \u001b[2J\u202e!"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "it needed more than 4 GiB of memory",
        ),
        (RuntimeError("std::bad_alloc"), "it needed more than 4 GiB of memory"),
    ],
)
def test_whatever_is_raised_becomes_a_sentence(tmp_path, capfd, problem, told):
    assert str(refused(raise_it, problem, folder=tmp_path)) == told
    assert capfd.readouterr().err == ""


def test_endless_recursion_becomes_a_sentence(tmp_path, capfd):
    assert "RecursionError" in str(refused(recurse, folder=tmp_path))
    assert capfd.readouterr().err == ""


def test_without_the_resource_module_wall_time_still_holds(tmp_path, monkeypatch):
    """As on Windows; the other process is a copy of this module's code, so the limits are tried here."""
    monkeypatch.setattr(room, "resource", None)
    room._limit(Bounds(1, 1, 1))
    assert bytearray(MIB)
