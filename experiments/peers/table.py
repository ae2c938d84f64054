"""Ours against each answer of a peer: the same currency, what is lost and why, and the ratios."""

from typing import Any

import pandas as pd

from dse.evaluation.bounds import lower_bound_bytes
from experiments.peers.answers import Record
from experiments.peers.ours import chip_of, layer_of
from experiments.peers.programs import LIMIT_CPU_S, PEERS
from experiments.peers.question import AXIS_SIZES, BUFFERS_KIB, PROBLEMS, bounds
from experiments.peers.replay import Node, Replay, replay

QUANTITIES = ("dram_elements", "cycles", "cycles_at_least_traffic")
"""What is compared: each is the least that a program finds; the last where traffic is the same."""

UNEVEN = "its operands have tiles of their own, a larger space"
SEVERAL = "it unrolls several loops along one axis, a larger space"
FILTER = "it keeps halos along the loops of the filter, where our rule fetches them again"
FRACTIONS = "its count takes fractions of tiles at the edges"


def comparison(ours: dict[str, Any], answers: list[Record]) -> pd.DataFrame:
    """Hold our answers against those of the peers, one row a question to a peer.

    Parameters
    ----------
    ours
        What `ours.measure` returns.
    answers
        The stored runs of the peers.

    Returns
    -------
    DataFrame
        For each of `QUANTITIES` what the peer says (``peer_``), what a walk of its mapping finds
        (``walked_``) and ours (``our_``); CPU seconds and their ratio; ``losses`` and
        ``differences`` in words. A run at its time limit has CPU seconds and no answer.
    """
    rows = [_row(_our_row(ours, record), record) for record in _in_order(answers)]
    integers = [f"{whose}_{x}" for whose in ("peer", "walked", "our") for x in QUANTITIES]
    integers.append("by_our_rule_dram_elements")
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys((x for x in integers if x in frame), "Int64"))


def _in_order(answers: list[Record]) -> list[Record]:
    def place(record: Record) -> tuple[int, int, int]:
        peer, problem = list(PEERS).index(record["peer"]), list(PROBLEMS).index(record["problem"])
        return problem, peer, BUFFERS_KIB.index(record["buffer_kib"])

    return sorted(answers, key=place)


def _our_row(ours: dict[str, Any], record: Record) -> dict[str, Any]:
    """Return our answer to the same problem, under the rule for halos that the peer follows."""
    kept = PEERS[record["peer"]].halo_is_kept
    return next(
        row
        for row in ours["rows"]
        if row["problem"] == record["problem"] and row["halo_is_kept"] == kept
    )


def _row(our: dict[str, Any], record: Record) -> dict[str, Any]:
    peer, size = PEERS[record["peer"]], record["buffer_kib"]
    answer = record.get("answer", {})
    cpu_s = answer.get("cpu_s", LIMIT_CPU_S)
    mine = _least(next(x for x in our["answers"] if x["buffer_kib"] == size))
    row = {
        "problem": record["problem"],
        "buffer_kib": size,
        "peer": peer.environment,
        "setting": peer.setting,
        "version": answer.get("version", ""),
        "halo_is_kept": peer.halo_is_kept,
        "status": record["status"],
        "cpu_s": cpu_s,
        "import_cpu_s": answer.get("import_cpu_s"),
        "our_cpu_s_all_sizes": our["cpu_s"],
        "ratio": cpu_s / our["cpu_s"],
        **{f"our_{key}": mine[key] for key in QUANTITIES},
        "lower_bound_elements": round(lower_bound(record["problem"], size)),
    }
    return row | _against(record, mine) | {"date": record["date"], "load": record["load"]}


def lower_bound(problem: str, buffer_kib: int) -> float:
    """Return the elements that no mapping can do without."""
    return lower_bound_bytes(layer_of(problem), chip_of(buffer_kib, halo_is_kept=True))


def _least(ours: dict[str, Any]) -> dict[str, int]:
    return {
        "dram_elements": ours["least traffic"]["dram_elements"],
        "cycles": ours["fewest cycles"]["cycles"],
        "cycles_at_least_traffic": ours["least traffic"]["cycles"],
    }


def _against(record: Record, mine: dict[str, int]) -> dict[str, Any]:
    """Return what the peer says, what a walk finds, and where either is less than ours."""
    if record["status"] != "answered":
        return {"losses": "", "differences": ""}
    found = best(record)
    is_least = found["dram_elements"][1] <= mine["dram_elements"]
    losses, differences = [], []
    for key, (says, walked, nodes) in found.items():
        words = key.replace("_", " ")
        if walked != says:
            reason = FRACTIONS if "cycles" in key else "not known"
            differences.append(
                f"{words}: it says {says:,.0f}, a walk finds {walked:,}, as {reason}"
            )
        if walked < mine[key] and (key in QUANTITIES[:2] or is_least):
            losses.append(f"{words} {walked:,}, ours {mine[key]:,}, as {reasons(record, nodes)}")
    values = {f"peer_{key}": round(says) for key, (says, _, _) in found.items()}
    values |= {"by_our_rule_dram_elements": by_our_rule(record, found["dram_elements"][2])}
    values |= {f"walked_{key}": walked for key, (_, walked, _) in found.items()}
    return values | {"losses": "; ".join(losses), "differences": "; ".join(differences)}


def best(record: Record) -> dict[str, tuple[float, int, list[Node]]]:
    """Return what a peer says, what a walk finds, and the mapping, for each of `QUANTITIES`.

    Raises
    ------
    ValueError
        If a mapping does not fit the buffer or the array.
    """
    mappings = record["answer"]["mappings"]
    walks = [walk(record, mapping["nodes"]) for mapping in mappings]
    both = list(zip(mappings, walks, strict=True))
    least = min(both, key=lambda x: (x[0]["dram_elements"], x[0]["cycles"]))
    fastest = min(both, key=lambda x: (x[0]["cycles"], x[1].cycles))
    return {
        "dram_elements": (least[0]["dram_elements"], least[1].dram_elements, least[0]["nodes"]),
        "cycles": (fastest[0]["cycles"], fastest[1].cycles, fastest[0]["nodes"]),
        "cycles_at_least_traffic": (least[0]["cycles"], least[1].cycles, least[0]["nodes"]),
    }


def walk(record: Record, nodes: list[Node]) -> Replay:
    """Walk a mapping of a peer under its own rule for halos, and check that it fits.

    Raises
    ------
    ValueError
        If it does not fit the buffer or the array.
    """
    peer, size = PEERS[record["peer"]], bounds(record["problem"])
    walked = replay(size, nodes, halo_is_kept=peer.halo_is_kept, along_filter=peer.along_filter)
    if walked.footprint > 1024 * record["buffer_kib"]:
        raise ValueError(f"{record['peer']}: {walked.footprint} bytes do not fit")
    if any(count > AXIS_SIZES[axis] for axis, count in walked.unrolled.items()):
        raise ValueError(f"{record['peer']}: {walked.unrolled} is more than {AXIS_SIZES}")
    return walked


def by_our_rule(record: Record, nodes: list[Node]) -> int:
    """Return the elements of a mapping of a peer, halos along the filter fetched again."""
    kept = PEERS[record["peer"]].halo_is_kept
    return replay(bounds(record["problem"]), nodes, halo_is_kept=kept).dram_elements


def reasons(record: Record, nodes: list[Node]) -> str:
    """Return how a mapping is outside our space, in words; empty if it is not."""
    places = [place for place, node in enumerate(nodes) if "store" in node]
    axes = [node["axis"] for node in nodes if "unroll" in node]
    found = [UNEVEN] if places[-1] - places[0] > 2 else []
    found += [SEVERAL] if len(axes) > len(set(axes)) else []
    found += [FILTER] if by_our_rule(record, nodes) != walk(record, nodes).dram_elements else []
    return " and ".join(found)
