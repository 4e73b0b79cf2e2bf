"""The roles that the app's identity has in the local Azure: all of them, until some are taken away."""

import threading
from collections.abc import Collection

BLOBS = "Storage Blob Data Owner"
QUEUES = "Storage Queue Data Contributor"
TABLES = "Storage Table Data Contributor"
SENDING = "Monitoring Metrics Publisher"
READING = "Log Analytics Data Reader"
READING_COMPONENT = "Monitoring Reader"
CONTENT = "Privileged Monitoring Data Reader"
SECRETS = "Key Vault Secrets User"
SIGNING = "Key Vault Crypto User"

ROLES = frozenset({BLOBS, QUEUES, TABLES, SENDING, READING, READING_COMPONENT, CONTENT, SECRETS, SIGNING})
"""What infra/ assigns, by Azure's names."""


class Roles:
    """What the app's identity may do: the services ask at each request. Safe to use from several threads.

    On Azure a change takes minutes until each service knows of it; here it holds at once.

    Args:
        without: The roles that it lacks.
    """

    def __init__(self, *, without: Collection[str] = ()) -> None:
        self._lock = threading.Lock()
        self._lacking: frozenset[str] = frozenset()
        self.lack(*without)

    def lack(self, *roles: str) -> None:
        """Take these roles away, and give all others.

        Raises:
            ValueError: There is no such role.
        """
        if unknown := set(roles) - ROLES:
            message = f"no such roles: {sorted(unknown)}"
            raise ValueError(message)
        with self._lock:
            self._lacking = frozenset(roles)

    def has(self, role: str) -> bool:
        """Whether the identity has the role."""
        with self._lock:
            return role not in self._lacking
