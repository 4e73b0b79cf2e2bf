"""A tiny app with one function of each kind that the local host must serve as Azure does."""

import json
import logging
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
ticks: list[dict[str, object]] = []
work: list[dict[str, object]] = []


@app.route(route="things/{id}", methods=["GET", "POST"])
def thing(req: func.HttpRequest) -> func.HttpResponse:
    """Echo what arrived."""
    seen = {
        "method": req.method,
        "id": req.route_params["id"],
        "query": dict(req.params),
        "principal": req.headers.get("X-MS-CLIENT-PRINCIPAL"),
        "headers": sorted(name for name in req.headers if name.startswith("x-ms-")),
        "body": req.get_body().decode(),
    }
    logging.getLogger("sample").info("echoing a thing")
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Kept": "yes"})


@app.route(route="files/{*rest}", methods=["GET"])
async def file(req: func.HttpRequest) -> str:
    """Answer with the rest of the path, from a coroutine."""
    return req.route_params["rest"]


@app.route(route="things/known", methods=["GET"])
def known(req: func.HttpRequest) -> func.HttpResponse:
    """Stand beside a route with a parameter in the same place."""
    return func.HttpResponse("the literal route", status_code=203)


@app.route(route="locked", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def locked(req: func.HttpRequest) -> func.HttpResponse:
    """Want a function key."""
    return func.HttpResponse("open")


@app.route(route="broken", methods=["GET"])
def broken(req: func.HttpRequest) -> func.HttpResponse:
    """Fail with a text that must not leave the host."""
    raise LookupError("the secret reason")


@app.route(route="seen", methods=["GET"])
def seen(req: func.HttpRequest) -> func.HttpResponse:
    """Show what the timer and the queue function were given."""
    return func.HttpResponse(json.dumps({"ticks": ticks, "work": work}), mimetype="application/json")


@app.timer_trigger(schedule="%TICK_SCHEDULE%", arg_name="tick")
def tick(tick: func.TimerRequest) -> None:
    """Remember each tick; the first takes longer than the schedule allows."""
    ticks.append({"past_due": tick.past_due, "status": tick.schedule_status})
    if len(ticks) == 1:
        time.sleep(2.5)


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="tick")
def yearly(tick: func.TimerRequest) -> None:
    """Fail whenever someone fires it by hand."""
    raise ArithmeticError("not this year")


@app.route(route="orders", methods=["POST"])
@app.queue_output(arg_name="order", queue_name="orders", connection="AzureWebJobsStorage")
def place(req: func.HttpRequest, order: func.Out[str]) -> func.HttpResponse:
    """Queue the body."""
    order.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="order", queue_name="orders", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="$return", queue_name="receipts", connection="AzureWebJobsStorage")
def fulfil(order: func.QueueMessage) -> str:
    """Return a receipt, unless the order is poison."""
    body = order.get_body().decode()
    work.append(
        {
            "body": body,
            "id": order.id,
            "dequeue_count": order.dequeue_count,
            "receipt": bool(order.pop_receipt),
        }
    )
    if "poison" in body:
        raise ValueError("cannot be fulfilled")
    return f"receipt for {body}"
