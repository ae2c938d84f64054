"""Archive of the mappings that a search has found, by cycles so that few are compared, compiled."""

from dse.arrays import IntArray
from dse.compiling import compiled, inlined
from dse.mapping.search.box_bounds import BUFFERS, LARGEST, POINT_DRAM, POINT_ENDS
from dse.mapping.search.queue import FOUND, IS_FULL, SETTLED, SearchState

AFTER_CRITERIA = 9
"""Columns of a found mapping after its criteria: tiles of 8 loops, loop order."""


@inlined
def level_of(levels: IntArray, cycles: int, low: int) -> int:
    """Return the highest level of at most so many cycles, which is no lower than a given one."""
    while low + 1 < len(levels) and levels[low + 1] <= cycles:
        low += 1
    return low


@inlined
def _is_within(archive: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether an archived mapping is no larger than a point on chip and in first and last bits."""
    column = 1
    while column < archive.shape[2] and archive[level, row, column] <= point[column]:
        column += 1
    return column == archive.shape[2]


@inlined
def _first_within(archive: IntArray, level: int, count: int, point: IntArray) -> int:
    """Return the first archived mapping that is no larger on chip than a point, or -1.

    With one buffer, archived mappings take no more of it than any later point, and their first and
    last bits fall along the archive.
    """
    if archive.shape[2] > BUFFERS + 1:
        for row in range(count):
            if _is_within(archive, level, row, point):
                return row
        return -1
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if archive[level, middle, POINT_ENDS] <= point[POINT_ENDS]:
            high = middle
        else:
            low = middle + 1
    return low if low < count else -1


@inlined
def rival_dram_bits(archive: IntArray, num_archived: IntArray, level: int, point: IntArray) -> int:
    """Return the DRAM bits from which on an archived mapping dominates a point.

    The mapping is of an earlier bin, so it is smaller in one criterion at least: on chip, or below
    the floor in DRAM bits.
    """
    rival = _first_within(archive, level, num_archived[level], point)
    return LARGEST if rival < 0 else archive[level, rival, POINT_DRAM]


@inlined
def _first_with_more_bits(archive: IntArray, level: int, count: int, bits: int) -> int:
    """Return the first archived row of more DRAM bits (binary search)."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if archive[level, middle, POINT_DRAM] <= bits:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _move(archive: IntArray, level: int, rows: tuple[int, int], target: int) -> None:
    """Move the rows from one to before another to the target, which they may overlap."""
    low, high = rows
    if target < low:
        for row in range(low, high):
            for column in range(archive.shape[2]):
                archive[level, target + row - low, column] = archive[level, row, column]
    elif target > low:
        for row in range(high - 1, low - 1, -1):
            for column in range(archive.shape[2]):
                archive[level, target + row - low, column] = archive[level, row, column]


@inlined
def _is_matched(archive: IntArray, level: int, row: int, point: IntArray) -> bool:
    """Whether a point is no larger than an archived mapping of no fewer DRAM bits.

    With one buffer its bits do not count: all later points take more than both.
    """
    last = POINT_ENDS if archive.shape[2] == BUFFERS + 1 else archive.shape[2] - 1
    column = POINT_ENDS
    while column <= last and point[column] <= archive[level, row, column]:
        column += 1
    return column > last


@compiled
def _insert(archive: IntArray, level: int, count: int, point: IntArray) -> int:
    """Insert a mapping unless one is no worse; remove what it matches; return the count."""
    is_falling = archive.shape[2] == BUFFERS + 1
    index = _first_with_more_bits(archive, level, count, point[POINT_DRAM])
    for row in range(max(index - 1, 0) if is_falling else 0, index):
        if _is_within(archive, level, row, point):
            return count
    while index > 0 and archive[level, index - 1, POINT_DRAM] == point[POINT_DRAM]:
        index -= 1
    end, row = index, index
    while row < count:
        if not _is_matched(archive, level, row, point):
            if is_falling:  # the rest have fewer first and last bits, too
                break
            _move(archive, level, (row, row + 1), end)
            end += 1
        row += 1
    _move(archive, level, (row, count), end + 1)
    _move(archive, level, (index, end), index + 1)
    for column in range(archive.shape[2]):
        archive[level, index, column] = point[column]
    return end + 1 + count - row


@inlined
def _is_no_worse(rows: IntArray, row: int, other: IntArray, first: int) -> bool:
    """Whether a mapping is no larger than another in any criterion from a first one on."""
    column, criteria = first, len(other) - AFTER_CRITERIA
    while column < criteria and rows[row, column] <= other[column]:
        column += 1
    return column == criteria


@compiled
def _is_undominated(
    state: SearchState, levels: IntArray, mapping: IntArray, point: IntArray
) -> bool:
    """Whether no found mapping matches or dominates one that its own level's archive does not.

    If the archive of the next level does not dominate it either, few mappings are left to compare.
    """
    for row in range(state.counters[SETTLED], state.counters[FOUND]):
        if _is_no_worse(state.found, row, mapping, 0):
            return False
    level = level_of(levels, mapping[len(point)], 0)
    if level + 1 < len(levels):
        bound = rival_dram_bits(state.archive, state.num_archived, level + 1, point)
        if point[POINT_DRAM] < bound:
            return True
    first = _first_deciding(point)
    for index in range(state.num_level_rows[level] - 1, -1, -1):
        if _is_no_worse(state.level_rows[level], index, mapping, first):
            return False
    return True


@inlined
def _first_deciding(point: IntArray) -> int:
    """Return the first criterion that can still differ; with one buffer its size cannot.

    Mappings of later bins take more of it.
    """
    return 1 if len(point) == BUFFERS + 1 else 0


@compiled
def _insert_level_row(level_rows: IntArray, count: int, mapping: IntArray, first: int) -> int:
    """Insert the criteria of a mapping, remove those that it matches; return the count."""
    end = 0
    for row in range(count):
        column = first
        while column < level_rows.shape[1] and mapping[column] <= level_rows[row, column]:
            column += 1
        if column < level_rows.shape[1]:
            if end < row:
                for moved in range(level_rows.shape[1]):
                    level_rows[end, moved] = level_rows[row, moved]
            end += 1
    for column in range(level_rows.shape[1]):
        level_rows[end, column] = mapping[column]
    return end + 1


@compiled
def _sort_rows(rows: IntArray, order: IntArray) -> None:
    """Fill in the order of rows by their columns, the first column first: a Shell sort."""
    for index in range(rows.shape[0]):
        order[index] = index
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        for index in range(gap, rows.shape[0]):
            row, after = order[index], index
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
def admit_candidates(state: SearchState, levels: IntArray, count: int, point: IntArray) -> None:
    """Admit candidates of the finished bin that no archived mapping matches or dominates.

    Of mappings with equal criteria the one with the smaller tiles is admitted, then the one of the
    earlier loop order.
    """
    counters, found, candidates, order = (
        state.counters,
        state.found,
        state.candidates,
        state.candidate_order,
    )
    cycles, first = len(point), _first_deciding(point)
    _sort_rows(candidates[:count], order)
    for index in range(count):
        row = order[index]
        _set_point(point, candidates[row])
        if _is_undominated(state, levels, candidates[row], point):
            for column in range(found.shape[1]):
                found[counters[FOUND], column] = candidates[row, column]
            counters[FOUND] += 1
            if counters[FOUND] + 1 == len(found):
                counters[IS_FULL] = 1
                return
    for row in range(counters[SETTLED], counters[FOUND]):
        _set_point(point, found[row])
        level = level_of(levels, found[row, cycles], 0)
        count = state.num_level_rows[level]
        state.num_level_rows[level] = _insert_level_row(
            state.level_rows[level], count, found[row], first
        )
        for above in range(level + (levels[level] < found[row, cycles]), len(levels)):
            state.num_archived[above] = _insert(
                state.archive, above, state.num_archived[above], point
            )
    counters[SETTLED] = counters[FOUND]


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
