"""One night's assignment: small, sorted, and refused when it is not what was written."""

import zlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.themes.members import Members, unit_keys

KEYS = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=30)


@given(KEYS, st.randoms())
def test_members_come_back_from_bytes_whatever_their_order(keys, random):
    themes = [None if key % 3 == 0 else f"T{key % 5:04d}" for key in keys]
    members = Members.of(np.array(keys, np.uint64), themes)
    pairs = list(zip(keys, themes, strict=True))
    random.shuffle(pairs)
    shuffled = Members.of(np.array([k for k, _ in pairs], np.uint64), [t for _, t in pairs])
    assert shuffled.to_bytes() == members.to_bytes()
    again = Members.from_bytes(members.to_bytes())
    assert again.themes_of(np.array(keys, np.uint64)) == themes


def test_a_unit_is_known_by_response_place_and_text():
    units = pl.DataFrame({"source": ["s", "s", "s"], "feedback_id": ["1", "1", "1"], "unit_index": [0, 1, 0], "unit_text": ["遅い", "遅い", "早い"]})
    assert len(set(unit_keys(units).tolist())) == 3
    assert unit_keys(units[::-1]).tolist() == unit_keys(units).tolist()[::-1]
    assert unit_keys(units[:0]).tolist() == []


DAMAGED = [b"", b"\x00", zlib.compress(b"{}\n"), zlib.compress(b'{"n": 2, "themes": []}\n123'), zlib.compress(b'{"n": 1, "themes": []}\n' + bytes(10))]


@pytest.mark.parametrize("data", DAMAGED)
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="a night's assignment"):
        Members.from_bytes(data)
