"""One function of each trigger that the stand-in host knows."""

import json
import logging
import os
import threading
import time

import azure.functions as func

log = logging.getLogger(__name__)

app = func.FunctionApp()


@app.queue_trigger("message", queue_name="%WORK_QUEUE%", connection="Data")
@app.queue_output("done", queue_name="%DONE_QUEUE%", connection="Data")
def work(message: func.QueueMessage, done: func.Out[str]) -> None:
    """Report the message as the function sees it; fail, wait, or be silent where the body asks for it."""
    body = message.get_body().decode()
    log.info("working on %s", body, extra={"attempt": message.dequeue_count})
    if body.startswith("sleep"):
        time.sleep(float(body.removeprefix("sleep")))
    if body == "fail":
        raise ValueError("asked to fail")
    done.set(
        json.dumps(
            {
                "body": body,
                "messageId": message.id,
                "dequeueCount": message.dequeue_count,
                "inserted": message.insertion_time and message.insertion_time.isoformat(),
                "thread": threading.current_thread().name,
                "setting": os.environ.get("OWN_SETTING"),
            }
        )
    )


@app.queue_trigger("message", queue_name="%RAW_QUEUE%", connection="Data", data_type=func.DataType.BINARY)
@app.queue_output("done", queue_name="%DONE_QUEUE%", connection="Data")
async def work_raw(message: func.QueueMessage, done: func.Out[str]) -> None:
    """Report a message that is bound as bytes."""
    log.info("working asynchronously")
    done.set(json.dumps({"body": message.get_body().decode(errors="replace"), "dequeueCount": message.dequeue_count}))


@app.timer_trigger("timer", schedule="%SCHEDULE%", run_on_startup=False)
@app.queue_output("done", queue_name="%DONE_QUEUE%", connection="Data")
def tick(timer: func.TimerRequest, done: func.Out[str]) -> None:
    """Report that the time has come."""
    done.set(json.dumps({"tick": True, "pastDue": timer.past_due}))


@app.route("greet", methods=["GET"])
def greet(req: func.HttpRequest) -> str:  # noqa: ARG001 - the host passes it by name
    """Greet."""
    return "hello"
