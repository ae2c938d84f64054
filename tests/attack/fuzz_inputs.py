"""Inputs that nobody meant: files and command lines of the project, each changed by chance.

Case n is a function of n alone, so that a failure is repeated by its number.
"""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from dse.config.files import conf_dir
from tests.attack.fuzz_binaries import binary_file, changed_bytes, onnx_file

SECRET = "hunter2-of-the-environment"
CANARY = "CANARY"

VALUES = (
    *("null", "true", "''", "[]", "{}", "-1", "0", "1", "3", "0.1", "-0.0", "1e-300", "1e308"),
    *("1e400", ".nan", ".inf", "-.inf", "9223372036854775808", "1" + "0" * 30, "9" * 400),
    *("9" * 5000, "0x10", "1_000", "12:30:45", "2020-01-01", "yes", "~", "a" * 1000, "[1, 2]"),
    *("[null]", "{a: {b: 1}}", "[[[[1]]]]", "'\\u202e'", '"\\e[31m"', "'=cmd|x'", "../../x"),
    *("/etc/passwd", "${oc.env:DSE_SECRET}", "${mul:${.a},${.a}}", "${..b}", "${}", "${now:%Y}"),
    *("${hydra:runtime.cwd}", "${mul:ab,2000000000}", "!!python/name:os.system", "&a [*a]", "*b"),
    *("!!binary aGk=", "!!set {a}", "? a", "[", "{", "'", "|", ">", "%", "@", "`", "- -", "1: 2"),
    *("\x00", "\ud7ff", "é", "a: b", "# x", "3 4", "[1" + ", 1" * 2000 + "]", "[" * 60, "-8", "7"),
)
LINES = (
    *("hydra: {run: {dir: CANARY}}", "# @package _global_", "defaults: [x]", "defaults: 3"),
    *("defaults: [../../x, /etc/passwd]", "_target_: os.system", "<<: *a", "a: &a {b: *a}", "---"),
    *("? [1, 2]\n: 3", "!!python/object/apply:os.system ['touch CANARY']", "\t", "...", "path: x"),
    *("defaults: [override hydra/launcher: basic]", "_args_: [1]", "1: 2", "null: 3", "true: 1"),
)
NODES = (
    *("task", "workload", "accelerator", "space", "search", "budget", "mapping", "seed", "run"),
    *("objectives", "pick.rule", "pick.order", "pick.weights.area_mm2", "pick.tolerance"),
    *("mapper.objective", "mapper.slack", "report", "budget.area_mm2", "budget.power_w"),
    *("search.trials", "search.sampler", "search.options.seed", "search.enumerate_limit"),
    *("space.knobs", "space.knobs.array_rows", "space.knobs.batch", "space.name", "import"),
    *("workload.batch", "workload.bits", "workload.bits.input", "workload.layers.0.k"),
    *("workload.path", "accelerator.path", "accelerator.array_rows", "accelerator.clock_hz"),
    *("accelerator.buffer_bytes", "accelerator.dram_part", "accelerator.technology", "x", "x.y"),
    *("mapping.layers.conv1.tile.k", "hydra.verbose", "hydra.job.name", "technology", "dram"),
)
SMALL = "space.knobs={array_rows:[8,16],batch:[1,2]}"
NO_PAGE = "report=none"

Case = tuple[str, list[str]]


def case(number: int, finished: Path) -> Case:
    """Write the files of a case into the working directory; return its kind and command line.

    Parameters
    ----------
    number
        Of the case.
    finished
        A run folder to copy.
    """
    chance = random.Random(f"case {number}")
    kind = KINDS[number % len(KINDS)]
    return kind.__name__.strip("_"), kind(chance, finished)


def _value(chance: random.Random) -> str:
    return chance.choice(VALUES)


def _overrides(chance: random.Random, _: Path) -> list[str]:
    """Return a command line with wrong overrides."""
    wrong = []
    for _ in range(chance.randint(1, 3)):
        text = (
            f"{chance.choice(('', '', '', '+', '++', '~'))}{chance.choice(NODES)}={_value(chance)}"
        )
        if chance.random() < 0.2:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice("=,[]{}()'\"$\\:~+@ é") + text[place + 1 :]
        wrong.append(text.replace("\x00", "").replace("DSE_SECRET", "NOWHERE"))  # one's own
    base = ["task=evaluate", "workload=tiny", "accelerator=flexible", NO_PAGE]
    return [*base, *wrong]


def changed_text(chance: random.Random, text: str) -> str:
    """Return a text with some of its lines, values or characters changed."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines) or 1)
        how = chance.random()
        if how < 0.55 and lines:
            keyed = re.match(r"^(\s*(?:- )?[\w.]+:)", lines[place])
            lines[place] = f"{keyed[1] if keyed else '- '} {_value(chance)}"
        elif how < 0.65:
            lines.insert(place, chance.choice(LINES))
        elif how < 0.75 and lines:
            lines.insert(place, chance.choice(lines))
        elif how < 0.85 and lines:
            del lines[place]
        elif lines:
            line = lines[place]
            at = chance.randrange(len(line) + 1)
            lines[place] = line[:at] + chance.choice("[]{}:,'\"#&*!|>%@ \t-09aé$") + line[at + 1 :]
    return "\n".join(lines) + "\n"


RUN_OF = {
    "accelerator": ["task=evaluate", "workload=tiny"],
    "budget": ["workload=tiny", SMALL, "search.trials=2"],
    "dram": ["task=evaluate", "workload=tiny", "accelerator=flexible"],
    "mapping": ["task=evaluate", "workload=tiny", "accelerator=flexible"],
    "search": ["workload=tiny", SMALL, "search.trials=2"],
    "space": ["workload=tiny", "search.enumerate_limit=0", "search.trials=2", "search=random"],
    "technology": ["task=evaluate", "workload=tiny", "accelerator=flexible"],
    "workload": ["task=evaluate", "accelerator=flexible"],
}
OFTEN = ("accelerator", "workload", "mapping", "dram", "technology", "workload", "accelerator")
SMALL_NETWORKS = ("tiny", "linear", "alexnet", "deepspeech2")


def _files(chance: random.Random, _: Path) -> list[str]:
    """Write a changed file of a group; return the command that reads it."""
    group = chance.choice(OFTEN) if chance.random() < 0.8 else chance.choice(sorted(RUN_OF))
    names = sorted(x.stem for x in (conf_dir() / group).glob("*.yaml"))
    name = chance.choice(SMALL_NETWORKS if group == "workload" else names)
    text = (conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8")
    path = Path("m") / group / "f.yaml"
    path.parent.mkdir(parents=True)
    changed = changed_text(chance, text).encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        changed = changed_bytes(chance, changed)
    path.write_bytes(changed)
    if group in ("workload", "accelerator") and chance.random() < 0.75:
        return [*RUN_OF[group], f"{group}.path={path}", NO_PAGE]
    return ["--config-dir=m", *RUN_OF[group], f"{group}=f", NO_PAGE]


WRONG: tuple[Any, ...] = (
    *(None, True, "", "x", [], {}, -1, 0, 1, 3, 0.5, 1e308, 10**30, 2**63, [1], {"a": 1}, [None]),
    *("${oc.env:DSE_SECRET}", "../../x", "\u202e", "\x1b[31m", "9" * 400, [[1]], {"name": 3}),
)


def changed_values(chance: random.Random, values: Any) -> Any:
    """Return what JSON holds with one part of it changed."""
    if isinstance(values, dict) and values and chance.random() < 0.9:
        key = chance.choice(sorted(values))
        how = chance.random()
        if how < 0.1:
            return {k: x for k, x in values.items() if k != key}
        return {**values, key: changed_values(chance, values[key])}
    if isinstance(values, list) and values and chance.random() < 0.8:
        place = chance.randrange(len(values))
        return [
            changed_values(chance, x) if i == place else x
            for i, x in enumerate(values)
            if chance.random() < 0.98
        ]
    return chance.choice(WRONG)


def _change_json(chance: random.Random, path: Path) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(chance.randint(1, 3)):
        values = changed_values(chance, values)
    path.write_text(json.dumps(values), encoding="utf-8")


def _change_table(chance: random.Random, path: Path) -> None:
    is_parquet = path.suffix == ".parquet"
    table = pd.read_parquet(path) if is_parquet else pd.read_csv(path)
    column = chance.choice(list(table.columns))
    how = chance.random()
    if how < 0.2:
        table = table.drop(columns=column)
    elif how < 0.3:
        table = table.iloc[:0]
    elif how < 0.4:
        table = table.rename(columns={column: chance.choice(list(table.columns))})
    else:
        wrong = chance.choice((0, -1, 1e308, float("nan"), float("inf"), "x", "=cmd|x", True, ""))
        changed = [wrong if chance.random() < 0.7 else x for x in table[column]]
        kinds = {type(x) for x in changed} - {int, float}
        table[column] = changed if not kinds else [str(x) for x in changed]
    if is_parquet and not table.columns.has_duplicates:
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)


def _runs(chance: random.Random, finished: Path) -> list[str]:
    """Change a finished run; return a command that reads it."""
    shutil.copytree(finished, "run")
    path = chance.choice(sorted(x for x in Path("run").iterdir() if x.is_file()))
    how = chance.random()
    if how < 0.1:
        path.unlink()
    elif how < 0.3:
        path.write_bytes(changed_bytes(chance, path.read_bytes()))
    elif path.suffix == ".json":
        _change_json(chance, path)
    elif path.suffix in (".csv", ".parquet"):
        _change_table(chance, path)
    task = chance.choices(("pick", "page", "table"), (0.15, 0.5, 0.35))[0]
    return [f"task={task}", "run=run", *([NO_PAGE] if task == "pick" else [])]


MODELS: tuple[dict[str, Any], ...] = (
    {"model_type": "bert", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
     "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 64},
    {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
     "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 100, "head_dim": 16,
     "max_position_embeddings": 64, "torch_dtype": "bfloat16"},
    {"model_type": "vit", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
     "intermediate_size": 128, "image_size": 32, "patch_size": 8, "num_channels": 3},
)  # fmt: skip


def _configs(chance: random.Random, _: Path) -> list[str]:
    """Write a changed config.json; return the command that imports it."""
    Path("config.json").write_text(json.dumps(chance.choice(MODELS)))
    if chance.random() < 0.8:
        _change_json(chance, Path("config.json"))
    else:
        data = Path("config.json").read_bytes()
        Path("config.json").write_bytes(changed_bytes(chance, data))
    return ["task=import", "workload.path=config.json"]


KINDS: tuple[Callable[[random.Random, Path], list[str]], ...] = (
    *(_overrides, _files, _runs, onnx_file, _configs, binary_file),
)
