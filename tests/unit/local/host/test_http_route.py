"""Route templates match as ASP.NET Core's do."""

import pytest

from local.host.errors import BindingError
from local.host.http_route import HttpRoute


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("api/groups", "/api/groups", {}),
        ("api/groups", "/API/Groups/", {}),
        ("api/groups", "/api", None),
        ("api/groups", "/api/groups/more", None),
        ("api/groups/{kind}/{groupId}", "/api/groups/personGroup/a-b", {"kind": "personGroup", "groupId": "a-b"}),
        ("api/groups/{kind}/{groupId}", "/api/groups/personGroup", None),
        ("api/groups/{kind}/{groupId}", "/api/groups//a", None),
        ("{name}", "/gr%C3%BCn%20x", {"name": "grün x"}),
        ("{name}", "/a%2Fb", {"name": "a%2Fb"}),
        ("{name}", "/%25", {"name": "%"}),
        ("a/{name?}", "/a", {}),
        ("a/{name?}", "/a/b", {"name": "b"}),
        ("a/{name=x}", "/a", {"name": "x"}),
        ("a/{name=x}", "/a/b", {"name": "b"}),
        ("a/{*rest}", "/a/b/c%2Fd", {"rest": "b/c%2Fd"}),
        ("a/{*rest}", "/a", {}),
        ("a/{**rest}", "/a/b/c", {"rest": "b/c"}),
        ("", "/", {}),
    ],
)
def test_a_path_matches_a_template(template: str, path: str, values: dict[str, str] | None) -> None:
    assert HttpRoute(template).match(path) == values


@pytest.mark.parametrize(
    ("constraint", "fitting", "other"),
    [
        ("int", ["0", "-5", "2147483647"], ["a", "1.5", "2147483648", "\u0661"]),
        ("long", ["9223372036854775807"], ["9223372036854775808"]),
        ("bool", ["true", "FALSE"], ["1"]),
        ("decimal", ["1", "-1.5"], ["1e5", "x"]),
        ("double", ["1", "1.5e3"], ["x", "nan"]),
        ("float", [".5"], ["."]),
        (
            "guid",
            ["cd2c1638-1638-72d5-1638-deadbeef1638", "{cd2c163816 3872d51638deadbeef1638}".replace(" ", "")],
            ["cd2c"],
        ),
        ("alpha", ["abc", "ABC"], ["a1", "ä"]),
        ("length(2)", ["ab"], ["a", "abc"]),
        ("length(1,2)", ["a", "ab"], ["abc"]),
        ("minlength(2)", ["ab", "abc"], ["a"]),
        ("maxlength(2)", ["a", "ab"], ["abc"]),
        ("min(18)", ["18", "19"], ["17", "x"]),
        ("max(18)", ["18", "-1"], ["19"]),
        ("range(1,3)", ["1", "3"], ["0", "4"]),
        ("regex(^\\d{{3}}-[a-z:]+$)", ["123-a:b", "123-B"], ["12-a", "1234-a"]),
        ("alpha:length(3)", ["abc"], ["ab1", "ab"]),
        ("required", ["a"], []),
    ],
)
def test_a_value_has_to_fit_its_constraints(constraint: str, fitting: list[str], other: list[str]) -> None:
    route = HttpRoute(f"a/{{value:{constraint}}}")
    assert [route.match(f"/a/{value}") for value in fitting] == [{"value": value} for value in fitting]
    assert [route.match(f"/a/{value}") for value in other] == [None] * len(other)


def test_a_constraint_does_not_keep_an_optional_value_from_missing() -> None:
    route = HttpRoute("a/{number:int?}")
    assert route.match("/a") == {}
    assert route.match("/a/5") == {"number": "5"}
    assert route.match("/a/x") is None


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a/{x:datetime}", "does not know the constraint 'datetime'. Known: alpha, bool"),
        ("a/{x:length(a)}", "the arguments of 'length.a.' cannot be read"),
        ("a/{x:length}", "does not know the constraint 'length'"),
        ("a/{x:regex([)}", "cannot be read"),
        ("a/{x}-{y}", "literal segments and whole ones in braces"),
        ("a/{x", "literal segments and whole ones in braces"),
        ("a/x}", "literal segments and whole ones in braces"),
        ("a//b", "not empty"),
        ("a/b?", "have no '?'"),
        ("{x}/{X}", "each parameter once"),
        ("{x?}/b", "at the end alone"),
        ("{*x}/{y}", "at the end alone"),
        ("admin/x", "an address of the host's own"),
    ],
)
def test_a_template_that_is_not_known_is_rejected(template: str, message: str) -> None:
    with pytest.raises(BindingError, match=message):
        HttpRoute(template)
