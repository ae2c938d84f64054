"""No name of a class stands for two things."""

import ast
from collections import defaultdict
from pathlib import Path

import dse

PACKAGE = Path(dse.__file__).parent


def test_no_two_classes_have_one_name() -> None:
    homes = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes[node.name.lstrip("_")].append(path.relative_to(PACKAGE).as_posix())
    assert len(homes) > 50
    assert not {name: places for name, places in homes.items() if len(places) > 1}
