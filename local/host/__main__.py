"""The Functions host on a laptop: serves one app's HTTP routes, timers and queues until it is told to stop.

    python -m local.host --app DIR --port N --certificate PEM --key PEM --schedules FILE [--no-timers]
                         [--end-with-stdin]

App settings come from the environment, as on Azure. The app's log goes to stderr.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from wsgiref.types import WSGIApplication

from local.host.easy_auth import EasyAuth
from local.host.execution import Execution, resolve
from local.host.functions_runtime import AppLoadError, Function, FunctionsRuntime
from local.host.host_json import read_host_json
from local.host.http_front import HttpFront
from local.host.invocations import QueueCall, Succeeded, TimerCall
from local.host.ncrontab import parse_schedule
from local.host.queue_trigger import QueueRules, QueueTrigger
from local.host.timers import Timers
from local.serving import Certificates, Service

# What authsettingsV2 excludes on Azure; the host's own calls want a key there, and loopback here.
_EXCLUDED_PATHS = ("/api/v1/health", "/portal", "/admin")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 when the app doesn't load."""
    options = _read_arguments(arguments)
    _start_log()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(stopped,), daemon=True).start()
    folder = options.app.resolve()
    try:
        execution = Execution(FunctionsRuntime(folder))
        settings = read_host_json(folder)
        front = HttpFront(execution, settings.route_prefix)
        timers = _make_timers(execution, options.schedules)
        triggers = _make_triggers(execution, settings.queues)
    except (AppLoadError, KeyError, ValueError) as error:
        print(f"The app in {folder} can't be served: {error}", file=sys.stderr)
        return 1
    certificates = Certificates(options.certificate, options.certificate, options.key)
    with Service(_protect(front), certificates, port=options.port) as service:
        for trigger in triggers:
            trigger.start()
        if options.timers:
            timers.start()
        logging.getLogger("local.host").info("Listening on %s", service.url)
        stopped.wait()
        if options.timers:
            timers.stop()
        for trigger in triggers:
            trigger.stop()
    return 0


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.host", description="The Functions host on a laptop.")
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, required=True, help="the server's certificate, PEM")
    parser.add_argument("--key", type=Path, required=True, help="its private key, PEM")
    parser.add_argument(
        "--schedules", type=Path, required=True, help="file that remembers when timers are due"
    )
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    parser.add_argument("--no-timers", dest="timers", action="store_false", help="run timers on request only")
    return parser.parse_args(arguments)


def _end_with_stdin(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def _start_log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The Azure SDKs log every request with its headers, and the runtime its whole index in one line.
    for name in ("azure", "werkzeug"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _protect(front: WSGIApplication) -> WSGIApplication:
    if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return front
    return EasyAuth(
        front,
        tenant_id=os.environ["AUTH_TENANT_ID"],
        client_id=os.environ["AUTH_CLIENT_ID"],
        excluded=_EXCLUDED_PATHS,
    )


def _make_timers(execution: Execution, schedules: Path) -> Timers:
    def run(name: str, call: TimerCall) -> None:
        execution.run(execution.functions[name], call)

    found = _of_trigger("timerTrigger", execution)
    return Timers(
        {function.name: parse_schedule(resolve(function.trigger.settings["schedule"])) for function in found},
        run,
        schedules,
    )


def _make_triggers(execution: Execution, rules: QueueRules) -> list[QueueTrigger]:
    def make(function: Function) -> QueueTrigger:
        def run(call: QueueCall) -> bool:
            return isinstance(execution.run(function, call), Succeeded)

        settings = function.trigger.settings
        return QueueTrigger(
            execution.queues(settings["connection"]), resolve(settings["queueName"]), rules, run
        )

    return [make(function) for function in _of_trigger("queueTrigger", execution)]


def _of_trigger(kind: str, execution: Execution) -> list[Function]:
    return [function for function in execution.functions.values() if function.trigger.type == kind]


if __name__ == "__main__":
    sys.exit(main())
