import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.snapshots.changes import Change, changes_between
from tests.support.directory_model import line

NAMES = st.dictionaries(st.text("abc-", min_size=1, max_size=4), st.sampled_from(["one", "two", "three"]))


def groups(names: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(group_id, line(group_id, name=name)) for group_id, name in sorted(names.items())]


def written(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(msgspec.json.encode(change))
    return told


@given(NAMES, NAMES)
def test_the_changes_are_the_difference_in_order(before: dict[str, str], after: dict[str, str]) -> None:
    told = [written(change) for change in changes_between(groups(before), groups(after), with_user_data=True)]
    different = sorted(key for key in before | after if before.get(key) != after.get(key))
    assert [change["groupId"] for change in told] == different
    for change in told:
        old, new = before.get(change["groupId"]), after.get(change["groupId"])
        assert change["change"] == ("added" if old is None else "removed" if new is None else "changed")
        assert (change["before"] and change["before"]["name"]) == old
        assert (change["after"] and change["after"]["name"]) == new


def test_another_order_of_fields_is_no_change() -> None:
    before, after = b'{"dynamicPersonGroupId":"a","name":"n"}', b'{"name":"n","dynamicPersonGroupId":"a"}'
    assert not list(changes_between([("a", before)], [("a", after)], with_user_data=True))


def test_user_data_that_one_of_the_two_does_not_hold_is_no_change_and_is_not_told() -> None:
    before = [("a", line("a", userData="secret")), ("b", line("b", userData="secret"))]
    after = [("a", line("a")), ("b", line("b", name="another name"))]
    (change,) = changes_between(before, after, with_user_data=False)
    assert change.change == "changed"
    assert change.group_id == "b"
    assert b"secret" not in bytes(change.before or b"")


AWKWARD = [b'{"id":"a","u":"\\ud800","n":%s}', b'{"id":"a","u":1e999,"n":%s}']


@pytest.mark.parametrize("form", AWKWARD)
def test_lines_that_few_parsers_take_are_compared_all_the_same(form: bytes) -> None:
    one, same, other = form % b"1", (form % b"1").replace(b",", b", "), form % b"2"
    assert not list(changes_between([("a", one)], [("a", same)], with_user_data=True))
    (change,) = changes_between([("a", one)], [("a", other)], with_user_data=True)
    assert bytes(change.after or b"") == other
