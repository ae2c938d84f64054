"""Best-first branch and bound for the undominated mappings, compiled.

The minima of a box's factors bound the criteria of every mapping in it, so a box that an archived
mapping dominates is dropped. Boxes leave the queue by the buffer bits that they need at least: what
can dominate a mapping has left before it. The method is that of Papadias, Tao, Fu and Seeger,
SIGMOD 2003, on boxes that are never enumerated. Steps are numbered as in
dse/docs/mapping-tables.md#search.
"""

from dse.compiling import compiled
from dse.mapping.search.archive import admit_candidates, level_of, rival_dram_bits, set_mapping
from dse.mapping.search.box_bounds import (
    NUM_GROUPS,
    POINT_DRAM,
    X,
    Y,
    is_too_large,
    least_cycles,
    least_flat_steps,
    linked,
    open_orders,
    set_bits,
    set_products,
    set_sizes,
)
from dse.mapping.search.mapping_problem import MappingProblem
from dse.mapping.search.queue import (
    BIN,
    IS_FULL,
    LEVEL,
    NUM_BINS,
    ORDERS,
    SearchScratch,
    SearchState,
    bin_of,
    store_box,
    take_box,
    widest_group,
)
from dse.mapping.search.size_tree import FACTORS, LEAST, LEFT, MOST, RIGHT, Trees


@compiled
def search(  # noqa: C901, PLR0915 (compiled: tuples of arrays are dear to pass on)
    trees: Trees, problem: MappingProblem, state: SearchState, scratch: SearchScratch
) -> bool:
    """Find the undominated mappings; return whether no array was too short.

    Parameters
    ----------
    trees
        Those of all groups, joined.
    problem
        What all mappings share.
    state
        Queue and archive; rows of `found` are bits in each buffer, first and last bits, DRAM bits,
        cycles; tile sizes; loop order.
    scratch
        Scratch arrays for the box being split.

    Notes
    -----
    One long function on purpose: handing tuples of arrays to parts of it took a third of the time.
    """
    nodes, factors, steps = trees.nodes, trees.factors, trees.steps
    groups, is_mirrored = problem.open_groups, problem.mirrored[0] > 0
    bounds, loops, levels = problem.bounds, problem.loops, problem.levels
    variants, traffic, ends, on_chip = (
        problem.variants,
        problem.traffic,
        problem.ends,
        problem.on_chip,
    )
    flat_loops, flat_sizes, floor = problem.flat_loops, problem.flat_sizes, problem.floor
    held, rooms, most = problem.held, problem.rooms, problem.most
    compulsory = problem.compulsory_dram_bits[0]
    counters, heads, archive, num_archived, candidates = (
        state.counters,
        state.heads,
        state.archive,
        state.num_archived,
        state.candidates,
    )
    box, point, other_factors, totals = (
        scratch.box,
        scratch.point,
        scratch.other_factors,
        scratch.totals,
    )
    other_steps, flat, sizes = scratch.other_steps, scratch.flat, scratch.sizes
    rate = problem.links[2] if len(problem.links) else 0
    flats = flat, problem.flat_of, flat_sizes[:, 1], problem.fill[0], rate
    num_candidates = 0
    for group in range(NUM_GROUPS):
        box[group] = problem.roots[group]
    # 1. Put the box of all mappings into the queue.
    box[ORDERS], box[LEVEL] = (1 << len(variants)) - 1, 0
    store_box(state, box, 0)
    while not counters[IS_FULL] and not state.stop[0]:
        # 2. Take a box of the least bin; when a bin is empty, admit its candidates to the archive.
        if not take_box(state, box):
            admit_candidates(state, levels, num_candidates, point)
            num_candidates = 0
            while counters[BIN] < len(heads) and heads[counters[BIN]] < 0:
                counters[BIN] += 1
            if counters[BIN] == len(heads):
                break
            continue
        # 3. Split it along its widest group; a leaf has one size of every group.
        split = widest_group(nodes, box, groups)
        is_leaf = split < 0
        split = groups[0] if is_leaf else split
        parent, orders, known = box[split], box[ORDERS], box[LEVEL]
        set_products(other_factors, factors, box, groups, split)
        has_steps = False
        for half in range(LEFT, RIGHT + 1):
            if not is_leaf:
                box[split] = nodes[parent, half]
            elif half == RIGHT:
                break
            if is_mirrored and nodes[box[Y], LEAST] > nodes[box[X], MOST]:
                continue
            # 4. Bound the half: products of minima, room, DRAM bits of each open loop order.
            row = box[split]
            for column in range(FACTORS):
                totals[column] = other_factors[column] * factors[row, column]
            if is_too_large(totals, held, rooms):
                continue
            key = set_bits(point, totals, ends, on_chip, floor)
            bound = rival_dram_bits(archive, num_archived, known, point)
            left, best, bits = open_orders(orders, bound, totals, traffic, variants)
            if not left or bits > most[0]:
                continue
            # 5. Bound its cycles: the least of all assignments of loops to axes.
            if is_leaf or len(flat):
                set_sizes(sizes, nodes, box, loops)
                for axis in range(len(flat)):
                    flat[axis] = least_flat_steps(
                        bounds, sizes, flat_loops, axis, flat_sizes[axis, 0]
                    )
            if not has_steps:
                set_products(other_steps, steps, box, groups, split)
                has_steps = True
            cycles = least_cycles(other_steps, steps, row, flats)
            cycles = linked(cycles, other_steps, steps, row, problem.links)
            if cycles > most[1]:
                continue
            level = level_of(levels, cycles, known)
            # 6. Drop what the archive up to this level of cycles dominates.
            if level > known:
                bound = rival_dram_bits(archive, num_archived, level, point)
                left, best, bits = open_orders(left, bound, totals, traffic, variants)
                if not left or bits > most[0]:
                    continue
            # 7. A leaf becomes a candidate of its bin, any other half goes back into the queue.
            if is_leaf:
                if num_candidates == len(candidates):
                    counters[IS_FULL] = 1
                    break
                point[POINT_DRAM] = bits
                set_mapping(candidates[num_candidates], point, cycles, sizes, best)
                num_candidates += 1
            else:
                box[ORDERS], box[LEVEL] = left, level
                first = NUM_BINS if key else 0
                bin_index = first + bin_of(key if key else bits - compulsory + 1, scratch.number)
                store_box(state, box, bin_index)
    return counters[IS_FULL] == 0
