"""A cache holds at most so many bytes, and drops what was used longest ago."""

from dse.caching import KEY_BYTES, ByteCache


def test_the_entries_used_longest_ago_go_first() -> None:
    cache: ByteCache[str] = ByteCache(3 * KEY_BYTES + 6, len)
    for key in "abc":
        cache.put(key, 2 * key)
    assert cache.num_bytes == 3 * KEY_BYTES + 6
    assert cache.get("a") == "aa"
    cache.put("d", "dd")
    assert list(cache) == ["c", "a", "d"]
    cache.put("a", "aaaa")  # two bytes more
    assert list(cache) == ["d", "a"]
    assert cache.num_bytes == 2 * KEY_BYTES + 6


def test_a_value_that_is_too_large_is_not_stored() -> None:
    cache: ByteCache[str] = ByteCache(KEY_BYTES + 3, len)
    assert cache.get_or_compute("a", lambda: "long") == "long"
    assert len(cache) == 0
    assert cache.num_bytes == 0
    assert cache.get_or_compute("a", lambda: "a") == "a"
    assert cache.get_or_compute("a", lambda: "never computed") == "a"
    cache.clear()
    assert cache.get("a") is None
