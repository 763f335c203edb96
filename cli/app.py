"""The program: its global options, its commands, and what it says of troubles."""

from importlib.metadata import version
from typing import Annotated

import typer
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from cli import events, restore, snapshots, watches
from cli.connect import Target
from cli.output import OTHER_OUTCOME, SERVICE_TROUBLE, WRONG_USAGE, err
from shared.api.responses import Problem
from shared.face.errors import FaceError, Unauthorized
from shared.snapshots.errors import SnapshotError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Watch the trainings of Face groups, and work on snapshots.",
)
watches.add_to(app)
events.add_to(app)
snapshots.add_to(app)
restore.add_to(app)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"face-ops {version('face-group-ops')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    local: Annotated[bool, typer.Option("--local", help="Work on the stack that script/server runs.")] = False,
    storage: Annotated[
        str | None, typer.Option(envvar="FACE_OPS_STORAGE", help="The storage account's name.", metavar="ACCOUNT")
    ] = None,
    face: Annotated[
        str | None, typer.Option(envvar="FACE_ENDPOINT", help="The Face resource.", metavar="ENDPOINT")
    ] = None,
    max_tps: Annotated[
        float, typer.Option(envvar="FACE_MAX_TPS", min=0.01, help="Calls a second, all that use the resource together.")
    ] = 5.0,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Say where to work. On Azure, the user's own identity is used (az login)."""
    del show_version  # shown before anything else, by its callback
    context.obj = Target(local, storage, face, max_tps)


def main(arguments: list[str] | None = None) -> None:
    """Run the program, and end it with its exit code."""
    import sys

    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        app(arguments, prog_name="face-ops")
    except Problem as problem:
        raise SystemExit(_say(str(problem), _PROBLEM_CODES.get(problem.status, OTHER_OUTCOME))) from None
    except SnapshotError as error:
        raise SystemExit(_say(str(error), OTHER_OUTCOME)) from None
    except FaceError as error:
        raise SystemExit(_say(_of_face(error), SERVICE_TROUBLE)) from None
    except AzureError as error:
        raise SystemExit(_say(_of_storage(error), SERVICE_TROUBLE)) from None


_PROBLEM_CODES = {400: WRONG_USAGE, 503: SERVICE_TROUBLE}


def _say(message: str, code: int) -> int:
    err.print(message, style="red", highlight=False, markup=False, soft_wrap=True)
    return code


def _of_face(error: FaceError) -> str:
    if isinstance(error, Unauthorized):
        return (
            f"the Face resource refuses ({error.status}); expected a role with the data actions of groups, such as "
            "Cognitive Services Data Reader to read, or FACE_KEY"
        )
    return f"the Face service failed: {error}"


def _of_storage(error: AzureError) -> str:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    code = getattr(error, "error_code", None)
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return (
            f"the storage account refuses ({code or type(error).__name__}); expected the roles Storage Blob Data "
            "Reader (snapshots), Storage Table Data Reader (watches, show, events), Storage Table Data Contributor "
            "(cancel) and Storage Queue Data Message Sender (watch, cancel, replay, snapshot); sign in by az login"
        )
    return f"the storage account failed: {type(error).__name__}{f', {code}' if code else ''}"
