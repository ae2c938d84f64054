"""Best-first branch and bound for the undominated mappings, compiled.

The least factors of a box bound the criteria of every mapping in it, so that a box that a known
mapping beats holds nothing worth having. Boxes leave the queue by the buffer bits that they need at
least: whatever can beat a mapping has left before it. The method is that of Papadias, Tao, Fu and
Seeger, SIGMOD 2003, on boxes that are never listed.
"""

from dse.compiling import compiled
from dse.mapping.search.archive import beaten_from, level_of, set_mapping, settle
from dse.mapping.search.box_bounds import (
    GROUPS,
    POINT_DRAM,
    Problem,
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
from dse.mapping.search.queue import (
    BIN,
    IS_FULL,
    LEVEL,
    NUM_BINS,
    ORDERS,
    Desk,
    Room,
    bin_of,
    store_box,
    take_box,
    widest_group,
)
from dse.mapping.search.size_tree import FACTORS, LEAST, LEFT, MOST, RIGHT, Trees


@compiled
def search(trees: Trees, problem: Problem, room: Room, desk: Desk) -> bool:  # noqa: C901, PLR0915
    """Find the undominated mappings; return whether there was room enough.

    Parameters
    ----------
    trees
        Those of all groups, joined.
    problem
        What all mappings share.
    room
        Where they are put: rows of `found` are bits in each buffer, first and last bits, DRAM bits,
        cycles; tile sizes; loop order.
    desk
        What is written for the box in hand.

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
    once = problem.once[0]
    state, heads, listed, num_listed, waiting = (
        room.state,
        room.heads,
        room.listed,
        room.num_listed,
        room.waiting,
    )
    box, point, others, totals = desk.box, desk.point, desk.others, desk.totals
    other_steps, flat, sizes = desk.other_steps, desk.flat, desk.sizes
    rate = problem.links[2] if len(problem.links) else 0
    flats = flat, problem.flat_of, flat_sizes[:, 1], problem.fill[0], rate
    num_waiting = 0
    for group in range(GROUPS):
        box[group] = problem.roots[group]
    box[ORDERS], box[LEVEL] = (1 << len(variants)) - 1, 0
    store_box(room, box, 0)
    while not state[IS_FULL]:
        if not take_box(room, box):
            settle(room, levels, num_waiting, point)
            num_waiting = 0
            while state[BIN] < len(heads) and heads[state[BIN]] < 0:
                state[BIN] += 1
            if state[BIN] == len(heads):
                break
            continue
        split = widest_group(nodes, box, groups)
        is_leaf = split < 0
        split = groups[0] if is_leaf else split
        parent, orders, known = box[split], box[ORDERS], box[LEVEL]
        set_products(others, factors, box, groups, split)
        has_steps = False
        for half in range(LEFT, RIGHT + 1):
            if not is_leaf:
                box[split] = nodes[parent, half]
            elif half == RIGHT:
                break
            if is_mirrored and nodes[box[Y], LEAST] > nodes[box[X], MOST]:
                continue
            row = box[split]
            for column in range(FACTORS):
                totals[column] = others[column] * factors[row, column]
            if is_too_large(totals, held, rooms):
                continue
            key = set_bits(point, totals, ends, on_chip, floor)
            beaten = beaten_from(listed, num_listed, known, point)
            left, best, bits = open_orders(orders, beaten, totals, traffic, variants)
            if not left or bits > most[0]:
                continue
            if is_leaf or len(flat):
                set_sizes(sizes, nodes, box, loops)
                for one in range(len(flat)):
                    flat[one] = least_flat_steps(bounds, sizes, flat_loops, one, flat_sizes[one, 0])
            if not has_steps:
                set_products(other_steps, steps, box, groups, split)
                has_steps = True
            cycles = least_cycles(other_steps, steps, row, flats)
            cycles = linked(cycles, other_steps, steps, row, problem.links)
            if cycles > most[1]:
                continue
            level = level_of(levels, cycles, known)
            if level > known:
                beaten = beaten_from(listed, num_listed, level, point)
                left, best, bits = open_orders(left, beaten, totals, traffic, variants)
                if not left or bits > most[0]:
                    continue
            if is_leaf:
                if num_waiting == len(waiting):
                    state[IS_FULL] = 1
                    break
                point[POINT_DRAM] = bits
                set_mapping(waiting[num_waiting], point, cycles, sizes, best)
                num_waiting += 1
            else:
                box[ORDERS], box[LEVEL] = left, level
                first = NUM_BINS if key else 0
                which = first + bin_of(key if key else bits - once + 1, desk.number)
                store_box(room, box, which)
    return state[IS_FULL] == 0
