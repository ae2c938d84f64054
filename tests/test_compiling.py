"""Compiled code that is kept on disk is never stale."""

import subprocess
import sys

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
