"""What the peers answered, one JSON object a line in answers.jsonl: runs that are there stay."""

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments.peers.programs import FOLDER, PEERS, ask, python_of
from experiments.peers.question import BUFFERS_KIB, PROBLEMS, has_filter

PATH = FOLDER / "answers.jsonl"

Record = dict[str, Any]


def stored(path: Path = PATH) -> list[Record]:
    """Return the stored runs."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def todo(peers: list[str], done: list[Record]) -> list[tuple[str, str, int]]:
    """List the questions that are not answered yet, the quick ones first."""
    known = {(x["peer"], x["problem"], x["buffer_kib"]) for x in done}
    return [
        (peer, problem, size)
        for slow in (False, True)
        for size in sorted(BUFFERS_KIB, key=lambda kib: kib != 64)
        for problem in PROBLEMS
        for peer in peers
        if has_filter(problem) == slow and (peer, problem, size) not in known
    ]


def run(peers: list[str], environments: Path, path: Path = PATH) -> None:
    """Ask what is not answered yet, and store each answer as it comes.

    Several of these may run at once with different peers.
    """
    for peer, problem, size in tqdm(todo(peers, stored(path)), disable=None):
        if (peer, problem, size) not in todo(peers, stored(path)):
            continue
        python = python_of(PEERS[peer].environment, environments)
        found = ask(peer, python, problem, size)
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(found) + "\n")
