"""The mappings that a search has found, listed by cycles so that few are compared, compiled."""

from dse.arrays import IntArray
from dse.compiling import compiled, inlined
from dse.mapping.search.box_bounds import BUFFERS, LARGEST, POINT_DRAM, POINT_ENDS
from dse.mapping.search.queue import FOUND, IS_FULL, SETTLED, Room

AFTER_CRITERIA = 9
"""Columns of a found mapping after its criteria: tiles of 8 loops, loop order."""


@inlined
def level_of(levels: IntArray, cycles: int, low: int) -> int:
    """Return the highest level of at most so many cycles, which is no lower than a known one."""
    while low + 1 < len(levels) and levels[low + 1] <= cycles:
        low += 1
    return low


@inlined
def _is_within(listed: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether a listed mapping is no larger on chip than a point, nor in first and last bits."""
    column = 1
    while column < listed.shape[2] and listed[level, row, column] <= point[column]:
        column += 1
    return column == listed.shape[2]


@inlined
def _first_within(listed: IntArray, level: int, count: int, point: IntArray) -> int:
    """Return the first listed mapping that is no larger on chip than a point, or -1.

    With one buffer, whatever is listed takes no more of it than any point asked for later, and
    first and last bits fall along the list.
    """
    if listed.shape[2] > BUFFERS + 1:
        for row in range(count):
            if _is_within(listed, level, row, point):
                return row
        return -1
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if listed[level, middle, POINT_ENDS] <= point[POINT_ENDS]:
            high = middle
        else:
            low = middle + 1
    return low if low < count else -1


@inlined
def beaten_from(listed: IntArray, num_listed: IntArray, level: int, point: IntArray) -> int:
    """Return the DRAM bits from which on a listed mapping beats a point.

    It lies in an earlier bin than the point, so that it is smaller in one thing at least: on chip,
    or below the floor in DRAM bits.
    """
    rival = _first_within(listed, level, num_listed[level], point)
    return LARGEST if rival < 0 else listed[level, rival, POINT_DRAM]


@inlined
def _place(listed: IntArray, level: int, count: int, bits: int) -> int:
    """Return the first listed row of more DRAM bits."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if listed[level, middle, POINT_DRAM] <= bits:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _move(listed: IntArray, level: int, rows: tuple[int, int], target: int) -> None:
    """Move the rows from one to before another to the target, which they may overlap."""
    low, high = rows
    if target < low:
        for row in range(low, high):
            for column in range(listed.shape[2]):
                listed[level, target + row - low, column] = listed[level, row, column]
    elif target > low:
        for row in range(high - 1, low - 1, -1):
            for column in range(listed.shape[2]):
                listed[level, target + row - low, column] = listed[level, row, column]


@inlined
def _is_matched(listed: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether a point is no larger than a listed mapping of no fewer DRAM bits.

    With one buffer its bits do not count: from now on points are larger than both.
    """
    last = POINT_ENDS if listed.shape[2] == BUFFERS + 1 else listed.shape[2] - 1
    column = POINT_ENDS
    while column <= last and point[column] <= listed[level, row, column]:
        column += 1
    return column > last


@compiled
def _list(listed: IntArray, level: int, count: int, point: IntArray) -> int:
    """List a mapping unless a listed one is no worse, drop what it matches; return the count."""
    is_falling = listed.shape[2] == BUFFERS + 1
    place = _place(listed, level, count, point[POINT_DRAM])
    for row in range(max(place - 1, 0) if is_falling else 0, place):
        if _is_within(listed, level, row, point):
            return count
    while place > 0 and listed[level, place - 1, POINT_DRAM] == point[POINT_DRAM]:
        place -= 1
    kept, row = place, place
    while row < count:
        if not _is_matched(listed, level, row, point):
            if is_falling:  # the rest have fewer first and last bits, too
                break
            _move(listed, level, (row, row + 1), kept)
            kept += 1
        row += 1
    _move(listed, level, (row, count), kept + 1)
    _move(listed, level, (place, kept), place + 1)
    for column in range(listed.shape[2]):
        listed[level, place, column] = point[column]
    return kept + 1 + count - row


@inlined
def _is_no_worse(one: IntArray, row: int, other: IntArray, first: int) -> bool:
    """Whether a mapping is no larger than another in any criterion from a first one on."""
    column, criteria = first, len(other) - AFTER_CRITERIA
    while column < criteria and one[row, column] <= other[column]:
        column += 1
    return column == criteria


@compiled
def _is_new(room: Room, levels: IntArray, mapping: IntArray, point: IntArray) -> bool:
    """Whether no found mapping is as good as one that those listed within its level do not beat.

    If those listed within the next level do not beat it either, few are left to compare.
    """
    for row in range(room.state[SETTLED], room.state[FOUND]):
        if _is_no_worse(room.found, row, mapping, 0):
            return False
    level = level_of(levels, mapping[len(point)], 0)
    if level + 1 < len(levels):
        beaten = beaten_from(room.listed, room.num_listed, level + 1, point)
        if point[POINT_DRAM] < beaten:
            return True
    first = _first_telling(point)
    for place in range(room.num_near[level] - 1, -1, -1):
        if _is_no_worse(room.near[level], place, mapping, first):
            return False
    return True


@inlined
def _first_telling(point: IntArray) -> int:
    """Return the first criterion that tells mappings of earlier bins from those of later ones.

    With one buffer its bits do not: later mappings take more of it.
    """
    return 1 if len(point) == BUFFERS + 1 else 0


@compiled
def _keep_near(near: IntArray, count: int, mapping: IntArray, first: int) -> int:
    """Add the criteria of a mapping, drop those that it matches; return the count."""
    kept = 0
    for row in range(count):
        column = first
        while column < near.shape[1] and mapping[column] <= near[row, column]:
            column += 1
        if column < near.shape[1]:
            if kept < row:
                for each in range(near.shape[1]):
                    near[kept, each] = near[row, each]
            kept += 1
    for column in range(near.shape[1]):
        near[kept, column] = mapping[column]
    return kept + 1


@compiled
def _sort_rows(rows: IntArray, order: IntArray) -> None:
    """Fill in the order of rows by their columns, the first column first: a Shell sort."""
    for place in range(rows.shape[0]):
        order[place] = place
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        for place in range(gap, rows.shape[0]):
            row, after = order[place], place
            while after >= gap:
                above, column = order[after - gap], 0
                while column < rows.shape[1] - 1 and rows[row, column] == rows[above, column]:
                    column += 1
                if rows[row, column] >= rows[above, column]:
                    break
                order[after] = above
                after -= gap
            order[after] = row


@inlined
def _set_point(point: IntArray, mapping: IntArray) -> None:
    """Fill in the point of a found mapping."""
    buffers = len(point) - BUFFERS
    point[POINT_DRAM] = mapping[buffers + 1]
    point[POINT_ENDS] = mapping[buffers]
    for buffer in range(buffers):
        point[BUFFERS + buffer] = mapping[buffer]


@compiled
def settle(room: Room, levels: IntArray, count: int, point: IntArray) -> None:
    """Add the waiting mappings to those that are found, but for those that one is as good as.

    Of mappings with equal criteria that with the smaller tiles stays, then that of the earlier loop
    order.
    """
    state, found, waiting, order = room.state, room.found, room.waiting, room.order
    cycles, first = len(point), _first_telling(point)
    _sort_rows(waiting[:count], order)
    for place in range(count):
        one = order[place]
        _set_point(point, waiting[one])
        if _is_new(room, levels, waiting[one], point):
            for column in range(found.shape[1]):
                found[state[FOUND], column] = waiting[one, column]
            state[FOUND] += 1
            if state[FOUND] + 1 == len(found):
                state[IS_FULL] = 1
                return
    for row in range(state[SETTLED], state[FOUND]):
        _set_point(point, found[row])
        level = level_of(levels, found[row, cycles], 0)
        count = room.num_near[level]
        room.num_near[level] = _keep_near(room.near[level], count, found[row], first)
        for above in range(level + (levels[level] < found[row, cycles]), len(levels)):
            room.num_listed[above] = _list(room.listed, above, room.num_listed[above], point)
    state[SETTLED] = state[FOUND]


@compiled
def set_mapping(
    mapping: IntArray, point: IntArray, cycles: int, sizes: IntArray, order: int
) -> None:
    """Fill in a row of `search`."""
    buffers = len(point) - BUFFERS
    for buffer in range(buffers):
        mapping[buffer] = point[BUFFERS + buffer]
    mapping[buffers] = point[POINT_ENDS]
    mapping[buffers + 1] = point[POINT_DRAM]
    mapping[buffers + 2] = cycles
    for loop in range(sizes.shape[1]):
        mapping[buffers + 3 + loop] = sizes[0, loop]
    mapping[buffers + 3 + sizes.shape[1]] = order
