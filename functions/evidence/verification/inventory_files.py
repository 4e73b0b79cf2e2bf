"""Checks that the files of an inventory agree. It reads a bundle that may have been forged."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from functions.evidence.packing.bundle import DRIFT, INVENTORY, RESOURCES
from functions.evidence.verification.bag import json_object
from functions.evidence.verification.container import Members, refusal


@dataclass(frozen=True, slots=True)
class InventoryFacts:
    """What an inventory holds, in figures on which its files agree.

    Attributes:
        taken_at: When it was taken, as it says.
        resources: How many resources.
        missing: How many things could not be listed.
        complete: Whether it says that nothing is missing.
        changes: How many differences from an earlier one; None where it was not compared.
    """

    taken_at: str
    resources: int
    missing: int
    complete: bool
    changes: int | None


def count_inventory(members: Members) -> InventoryFacts:
    """Compare the files of an inventory that holds all of them.

    Raises:
        BundleInvalid: A file has not the shape of its kind, or two disagree.
    """
    held = json_object(members, INVENTORY)
    try:
        ids = [resource["id"] for resource in held["resources"]]
        missing, counts = len(held["missing"]), held["counts"]
        if len(set(ids)) < len(ids) or counts != {"resources": len(ids), "missing": missing}:
            raise refusal(f"{INVENTORY} counts other resources than it holds, or holds one twice.")
        if held["complete"] is not (held["all_listed"] is True and not missing):
            raise refusal(f"{INVENTORY} calls itself complete, or not, against what it says is missing.")
        if _listed(members) != ids:
            raise refusal(f"{INVENTORY} and {RESOURCES} hold different resources.")
        return InventoryFacts(
            taken_at=str(held["taken_at"]),
            resources=len(ids),
            missing=missing,
            complete=held["complete"],
            changes=_changes(members, held) if DRIFT in members else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise refusal("A payload file has not the shape of its kind.") from error


def _listed(members: Members) -> list[str]:
    with members[RESOURCES].open() as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        return [record["id"] for record in csv.DictReader(text, strict=True)]


def _changes(members: Members, inventory: dict[str, Any]) -> int:
    held = json_object(members, DRIFT)
    if held["against_sha256"] != inventory["against_sha256"]:
        raise refusal(f"{DRIFT} is about another earlier inventory than {INVENTORY} names.")
    if held["counts"] != {"changes": len(held["changes"]), "not_compared": len(held["not_compared"])}:
        raise refusal(f"{DRIFT} counts other changes than it holds.")
    return len(held["changes"])
