"""Web pages of elsewhere cannot reach the local servers."""

import pytest

from local.loopback import find_problem


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "127.8.0.1", "localhost:7071", "LOCALHOST", "[::1]:7071"])
def test_requests_to_this_machine_pass(host: str) -> None:
    assert find_problem({"host": host}) is None
    assert find_problem({"host": host, "origin": f"http://{host}"}) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:7071",
        "127.0.0.1.evil.example",
        "192.0.2.1",
        "user@127.0.0.1",
        "localhost.evil",
    ],
)
def test_another_host_is_a_rebound_name(host: str) -> None:
    assert "another Host" in (find_problem({"host": host}) or "")


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "https://127.0.0.1:7071", "http://127.0.0.1:80", "http://localhost:7071"],
)
def test_another_origin_is_a_page_of_elsewhere(origin: str) -> None:
    assert "an Origin elsewhere" in (find_problem({"host": "127.0.0.1:7071", "origin": origin}) or "")
