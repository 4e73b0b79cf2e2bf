"""Runs one function for one call: invokes it, sends the messages it wrote, and logs how it ended."""

import logging
import os
import re
import time

from azure.identity import ManagedIdentityCredential

from local.host.functions_runtime import Function, FunctionsRuntime
from local.host.invocations import Call, Failed, Outcome, Succeeded
from local.queues import STORAGE_ERRORS, Queues

_LOG = logging.getLogger("local.host")
_STORAGE_SCOPE = "https://storage.azure.com/.default"


class Execution:
    """Runs the functions of one app.

    Attributes:
        functions: By name.
    """

    def __init__(self, runtime: FunctionsRuntime) -> None:
        self._runtime = runtime
        self._accounts: dict[str, Queues] = {}
        self.functions = runtime.functions

    def run(self, function: Function, call: Call) -> Outcome:
        """Invoke the function and wait. A message that can't be sent fails it, as on Azure."""
        began = time.monotonic()
        outcome = self._runtime.invoke(function, call)
        if isinstance(outcome, Succeeded):
            outcome = self._send_messages(outcome)
        verdict = "Succeeded" if isinstance(outcome, Succeeded) else f"Failed, {outcome.error_type}"
        took_ms = (time.monotonic() - began) * 1000
        _LOG.info("Executed 'Functions.%s' (%s, Duration=%.0fms)", function.name, verdict, took_ms)
        return outcome

    def queues(self, connection: str) -> Queues:
        """The storage account behind a binding's connection, by the identity that its settings name.

        Raises:
            KeyError: The setting `CONNECTION__queueServiceUri` is missing.
        """
        if connection not in self._accounts:
            endpoint = os.environ[f"{connection}__queueServiceUri"]
            credential = ManagedIdentityCredential(client_id=os.environ.get(f"{connection}__clientId"))
            self._accounts[connection] = Queues(endpoint, lambda: credential.get_token(_STORAGE_SCOPE).token)
        return self._accounts[connection]

    def _send_messages(self, outcome: Succeeded) -> Outcome:
        for message in outcome.messages:
            queue = resolve(message.queue)
            try:
                queues = self.queues(message.connection)
                queues.create(queue)
                queues.put(queue, message.body)
            except (*STORAGE_ERRORS, KeyError) as error:
                _LOG.exception("The output queue %s could not be written", queue)
                return Failed(type(error).__name__)
        return outcome


def resolve(text: str) -> str:
    """Replace each `%NAME%` of a binding by that app setting, as the Functions host does.

    Raises:
        KeyError: The setting is missing.
    """
    return re.sub(r"%(\w+)%", lambda match: os.environ[match[1]], text)
