import json

from hypothesis import given
from hypothesis import strategies as st

from shared.snapshots.changes import changes_between, write_changes
from tests.support.directory_model import line

NAMES = st.dictionaries(st.text("abc-", min_size=1, max_size=4), st.sampled_from(["one", "two", "three"]))


def groups(names: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(group_id, line(group_id, name=name)) for group_id, name in sorted(names.items())]


@given(NAMES, NAMES)
def test_the_changes_are_the_difference_in_order(before: dict[str, str], after: dict[str, str]) -> None:
    lines: list[bytes] = []
    counts = write_changes(changes_between(groups(before), groups(after), with_user_data=True), lines.append)
    told = [json.loads(change) for change in lines]
    different = sorted(key for key in before | after if before.get(key) != after.get(key))
    assert [change["dynamicPersonGroupId"] for change in told] == different
    for change in told:
        old, new = before.get(change["dynamicPersonGroupId"]), after.get(change["dynamicPersonGroupId"])
        assert change["change"] == ("added" if old is None else "removed" if new is None else "changed")
        assert (change["before"] and change["before"]["name"]) == old
        assert (change["after"] and change["after"]["name"]) == new
    assert counts.total() == len(told)
    assert counts["added"] == len(after.keys() - before.keys())


def test_another_order_of_fields_is_no_change() -> None:
    before, after = b'{"dynamicPersonGroupId":"a","name":"n"}', b'{"name":"n","dynamicPersonGroupId":"a"}'
    assert not list(changes_between([("a", before)], [("a", after)], with_user_data=True))


def test_user_data_that_one_of_the_two_does_not_hold_is_no_change_and_is_not_told() -> None:
    before = [("a", line("a", userData="secret")), ("b", line("b", userData="secret"))]
    after = [("a", line("a")), ("b", line("b", name="another name"))]
    (change,) = changes_between(before, after, with_user_data=False)
    assert change.change == "changed"
    assert change.dynamic_person_group_id == "b"
    assert b"secret" not in bytes(change.before or b"")
