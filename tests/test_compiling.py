"""Compiled code that is kept on disk is never stale."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INNER = """
from dse.compiling import inlined

NUMBER = {number}

@inlined
def inner(x):
    return x + {added}
"""
OUTER = """
from dse.compiling import compiled
from inner import NUMBER, inner

@compiled
def outer(x):
    return inner(x) * NUMBER

print(outer(1), sum(outer.stats.cache_hits.values()))
"""


def test_an_edited_file_is_noticed_by_the_compiled_functions_that_call_into_it(tmp_path):
    def printed(number, added):
        inner, text = tmp_path / "inner.py", INNER.format(number=number, added=added)
        if not inner.exists() or inner.read_text() != text:  # Numba before 0.68 goes by the time
            inner.write_text(text)
        command = [sys.executable, "outer.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    (tmp_path / "outer.py").write_text(OUTER)
    assert printed(10, 1) == ["20", "0"]
    assert printed(10, 1) == ["20", "1"]
    assert printed(10, 2) == ["30", "0"]
    assert printed(20, 2) == ["60", "0"]


TOLD = """
from dse.compiling import compiled, on_first_compilation

on_first_compilation(lambda: print("compiling"))

@compiled
def once(x):
    return x + 1

@compiled
def twice(x):
    return once(once(x))

print(twice(1))
"""


def test_only_compilation_is_told_and_once(tmp_path):
    (tmp_path / "told.py").write_text(TOLD)

    def printed():
        command = [sys.executable, "told.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert printed().stdout.split() == ["compiling", "3"]
    assert printed().stdout.split() == ["3"]


PLACES = """
import resource, sys
from numba.core import caching

if sys.argv[1] == "nowhere":
    for made in (caching.CompileResultCacheImpl, caching.CodeLibraryCacheImpl):
        made._locator_classes = []
if sys.argv[1] == "full":
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))

from dse.compiling import compiled, why_not_kept

@compiled
def once(x):
    return x + 1

print(once(2), why_not_kept())
"""


@pytest.fixture
def printed(tmp_path):
    """Return what a program prints that keeps compiled code in tmp_path."""
    (tmp_path / "places.py").write_text(PLACES)

    def run(place, **environment):
        return subprocess.run(
            [sys.executable, "places.py", place],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment},
        )

    return run


def test_broken_files_of_kept_code_are_made_again(tmp_path, printed):
    assert printed("here").stdout == "3 None\n"
    for suffix, size in (("nbi", 0), ("nbc", 100)):
        (broken,) = tmp_path.rglob(f"*.{suffix}")
        broken.write_bytes(broken.read_bytes()[:size])
        done = printed("here")
        assert (done.stdout, done.stderr) == ("3 None\n", "")
        assert broken.stat().st_size > size


def test_code_is_compiled_where_no_folder_for_it_can_be_written(printed):
    assert printed("nowhere").stdout == "3 no folder for it can be written\n"


def test_a_full_disk_for_compiled_code_is_named(printed):
    done = printed("full")
    assert done.stdout.startswith("3 "), done.stderr
    assert "__pycache__" in done.stdout
    assert done.stdout.endswith("File too large\n")


def test_python_without_compilation_is_refused(printed):
    done = printed("here", NUMBA_DISABLE_JIT="1")
    assert "NUMBA_DISABLE_JIT must not be set" in done.stderr
