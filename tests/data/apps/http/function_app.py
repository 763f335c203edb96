"""Functions of each authorization level, with routes, methods, responses and failures."""

import json

import azure.functions as func

app = func.FunctionApp()


@app.route("echo/{kind:alpha}/{number:int?}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Report the request as the function sees it."""
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "own": req.headers.get("x-own"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"X-Own": "yes"})


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def any_method(req: func.HttpRequest) -> str:
    """Report the method as text."""
    return str(req.method)


@app.route("files/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def files(req: func.HttpRequest) -> str:
    """Report the rest of the path."""
    return str(req.route_params.get("path", "nothing"))


@app.route("cookie", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def cookie(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the host passes it by name
    """Set cookies."""
    response = func.HttpResponse(b"\x00\xff", mimetype="application/octet-stream")
    response.headers.add("Set-Cookie", "plain=1")
    response.headers.add("Set-Cookie", "full=2; Max-Age=60; Path=/p; HttpOnly; Secure; SameSite=Strict")
    return response


@app.route("fails", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def fails(req: func.HttpRequest) -> str:  # noqa: ARG001 - the host passes it by name
    """Fail."""
    raise ValueError("asked to fail")


@app.route("with-key", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def with_key(req: func.HttpRequest) -> str:  # noqa: ARG001 - the host passes it by name
    """Be there for those who have a key."""
    return "with key"


@app.route("other-with-key", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def other_with_key(req: func.HttpRequest) -> str:  # noqa: ARG001 - the host passes it by name
    """Be there for those who have another key."""
    return "other with key"


@app.route("for-admins", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def for_admins(req: func.HttpRequest) -> str:  # noqa: ARG001 - the host passes it by name
    """Be there for those who have the master key."""
    return "for admins"
