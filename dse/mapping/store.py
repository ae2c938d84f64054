"""The store of answers about the mappings of layers, each computed once."""

from dse.caching import ByteCache
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.points import Points
from dse.mapping.question import Question
from dse.mapping.scheduled import scheduled_points
from dse.mapping.search.find import find
from dse.mapping.search.layer_trees import TREES
from dse.mapping.store_keys import Key, shared_key, table_key

ANSWERS: ByteCache[Points] = ByteCache(2**28, lambda points: points.num_bytes)
"""Answers by shared key and question: 256 MiB."""

_SHARED_KEYS: ByteCache[Key] = ByteCache(2**24, lambda key: 0)
"""The shared key of each table key: to compute it takes a while."""


def forget() -> None:
    """Forget all that is stored, so that it is computed again."""
    for cache in (ANSWERS, _SHARED_KEYS, TREES):
        cache.clear()


def answer(one: LayerOnArray, question: Question) -> Points:
    """Return the mappings that answer a question about a layer on an array.

    Parameters
    ----------
    one
        What is computed, on what.
    question
        Which mappings are sought. A stored answer to a wider question is returned, too: it holds
        further mappings, none of which is better for what is asked.

    Raises
    ------
    DseError
        If the constraints of the machine leave no mapping, or a loop is too long to be mapped.
    """
    asked = question.on(one.chip)
    key = _SHARED_KEYS.get_or_compute(table_key(one), lambda: shared_key(one))
    for wider in asked.answered_by():
        found = ANSWERS.get((key, wider))
        if found is not None:
            return found
    is_scheduled = one.chip.schedule is not None
    points = scheduled_points(one.layer, one.chip) if is_scheduled else find(one, asked)
    ANSWERS.put((key, asked), points)
    return points
