"""A small app with one example of each kind of function that the real app has, to test the local host with."""

import asyncio
import json
import logging

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("/", methods=["GET"])
def root(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("root", mimetype="text/html")


@app.route("echo/{name}/{*rest}", methods=["GET", "POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the received request as JSON."""
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "form": dict(req.form),
        "body": req.get_body().hex(),
        "invocation": context.invocation_id,
    }
    logging.getLogger("sample").info("echoed")
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Seen": "yes"})


@app.route("cookies")
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    answer = func.HttpResponse(status_code=302, headers={"Location": "/elsewhere"})
    answer.headers.add("Set-Cookie", "__Host-a=x%3Dy; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=None")
    answer.headers.add("Set-Cookie", "b=2; SameSite=Lax")
    return answer


@app.route("bytes")
def binary(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(bytes(range(256)), mimetype="application/octet-stream")


@app.route("breaks")
def breaks(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("a detail that nobody outside may see")


@app.route("sleeps")
async def sleeps(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(60)
    return func.HttpResponse("too late")


@app.timer_trigger(schedule="%SAMPLE_SCHEDULE%", arg_name="timer")
def tick(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info("tick past_due=%s", timer.past_due)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="SampleStorage")
def work(message: func.QueueMessage) -> None:
    text = message.get_body().decode()
    logging.getLogger("sample").info("work %s, time %d", text, message.dequeue_count or 0)
    if text == "fails":
        raise RuntimeError("as asked")
