"""Runs Azurite, Microsoft's storage emulator: blobs and queues over TLS, with bearer tokens as on Azure."""

from pathlib import Path
from types import TracebackType
from typing import Self

from local.node import find_module_file, find_node
from local.processes import Child, answers, free_ports
from local.serving import Certificates

# The emulator's only account; its name stands in the path, as addresses have no subdomains.
ACCOUNT = "devstoreaccount1"
_END_WITH_PARENT = Path(__file__).parent / "end_with_parent.cjs"
_READY_SECONDS = 60.0


class Azurite:
    """One emulator that keeps its data in `folder`. A context manager.

    Attributes:
        blob_endpoint: What STORAGE_BLOB_ENDPOINT is on Azure.
        queue_endpoint: The same for queues.
        table_endpoint: The same for tables.

    Raises:
        FileNotFoundError: Node or Azurite is not installed; the message says how to get it.
        ChildError: It did not start.
    """

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self._folder = folder
        self._certificates = certificates
        self._ports = dict(zip(("blob", "queue", "table"), free_ports(3), strict=True))
        self.blob_endpoint = f"https://127.0.0.1:{self._ports['blob']}/{ACCOUNT}"
        self.queue_endpoint = f"https://127.0.0.1:{self._ports['queue']}/{ACCOUNT}"
        self.table_endpoint = f"https://127.0.0.1:{self._ports['table']}/{ACCOUNT}"

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [find_node(), "--require", _END_WITH_PARENT]
        command += [find_module_file("azurite/dist/src/azurite.js")]
        for service, port in self._ports.items():
            command += [f"--{service}Port", str(port)]
        command += ["--cert", self._certificates.certificate, "--key", self._certificates.key]
        # A newer SDK asks for API versions that this emulator has not heard of, and means nothing new by it.
        command += ["--oauth", "basic", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
        command += ["--location", self._folder]
        self._child = Child(command, log=self._folder / "azurite.log", environment={}, folder=self._folder)
        try:
            self._child.wait_until(lambda: all(map(answers, self._ports.values())), seconds=_READY_SECONDS)
        except BaseException:
            self._child.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; the data stays."""
        self._child.stop()
