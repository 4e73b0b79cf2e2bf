"""`tracekeeper signing-key`: shows the public key of the evidence, for publishing."""

import argparse
from collections.abc import Callable

from functions.settings import read_signing_key
from functions.signing.signatures import public_pem, thumbprint


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "signing-key",
        help="show the public key that verifies bundles, for publishing",
        description=(
            "Prints the public key of the key that SIGNING_KEY names, in PEM, and its thumbprint (RFC 7638), "
            "which the signature in a bundle names too. Publish both where auditors trust you and others "
            "can't write: never beside the bundles. Key Vault is asked in your name, as after `az login`."
        ),
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Print the key and its thumbprint; return 0.

    Raises:
        SettingsError: SIGNING_KEY is missing or unusable.
        SigningError: The key can't be read.
    """
    from functions.clients import signer_of_person  # noqa: PLC0415 - other commands need none of Azure's packages

    key = signer_of_person(read_signing_key()).public_key()
    say(public_pem(key).rstrip())
    say(f"Thumbprint: {thumbprint(key)}")
    return 0
