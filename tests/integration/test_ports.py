"""The usual ports are taken where they are free, others where they are not."""

import socket

import pytest

from local import ports
from local.azurite import USUAL_PORTS, Ports
from local.processes import free_port


def test_a_free_usual_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = free_port()
    monkeypatch.setattr(ports, "USUAL_HOST_PORT", usual)
    assert ports.host_port() == usual


def test_another_is_taken_where_somebody_listens_on_the_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(ports, "USUAL_HOST_PORT", taken.getsockname()[1])
        assert ports.host_port() != taken.getsockname()[1]


def test_azurites_ports_are_the_usual_ones_only_together(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Ports(free_port(), free_port(), free_port())
    monkeypatch.setattr(ports, "USUAL_PORTS", usual)
    assert ports.azurite_ports() == usual
    with socket.create_server(("127.0.0.1", usual.table)):
        assert ports.azurite_ports() == Ports()


def test_the_usual_ports_are_those_of_development_storage() -> None:
    assert Ports(10000, 10001, 10002) == USUAL_PORTS
