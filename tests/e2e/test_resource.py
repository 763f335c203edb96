"""The stack with a Face resource of the user's, for which an emulator of its own stands in."""

from io import StringIO

from rich.console import Console

from local.demo.real import show_resource
from local.face_emulator.process import start_face_emulator
from local.functions_host import HostKind
from local.server import describe
from local.stack import face_settings, start_stack
from tests.e2e.conftest import SETTINGS


def test_a_face_resource_of_the_users_takes_the_emulators_place(host_kind: HostKind) -> None:
    with start_face_emulator() as resource:
        settings = {**SETTINGS, **face_settings(resource)}
        resource.control.group("personGroup", "mine", train=True)
        resource.control.fill(5)
        with start_stack(host_kind=host_kind, settings=settings) as stack:
            assert not stack.has_emulator
            assert len(stack.children) == 2
            assert stack.connection.face_control_token is None
            assert "Face service" in describe(stack)
            console = Console(file=StringIO())
            problems = show_resource(stack, console, ["personGroup/mine", "no kind/at all"])
        assert set(resource.control.statistics().requests) == {"personGroup.training", "dynamicPersonGroup.list"}
    assert [problem.partition(":")[0] for problem in problems] == ["no kind/at all was rejected"]
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "event face.training.succeeded personGroup/mine" in shown
    assert "5 groups" in shown
