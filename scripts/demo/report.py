"""The results, for a person: a table, counts, and where to look next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.demo.run import WEBHOOK_SECONDS, Outcome
from scripts.stack.state import State, write_private

_ROWS = 60
_STYLES = {"right": "green", "wrong": "red", "missed": "yellow", "": ""}


def print_outcome(console: Console, state: State, outcome: Outcome) -> None:
    """Print who was found, how sure, and what to make of it."""
    results = state.folder / "quickstart-results.jsonl"
    write_private(results, "".join(json.dumps(item) + "\n" for item in outcome.identified))
    _print_enrolled(console, outcome)
    table = Table(
        title=f"Identified ({outcome.rule})",
        show_edge=False,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for heading in ("image", "who it is", "who was found"):
        table.add_column(heading, overflow="fold")
    table.add_column("similarity", justify="right")
    table.add_column("decision", no_wrap=True)
    table.add_column()
    expected = {photo.name: photo.person for photo in outcome.plan.identify}
    verdicts: list[str] = []
    for item in outcome.identified:
        row, verdict = _row(item, expected[item["custom_id"]], outcome.plan.enrolled_people)
        verdicts.append(verdict)
        if len(verdicts) <= _ROWS:
            # As text: a name in brackets is no markup.
            table.add_row(*map(Text, row), verdict, style=_STYLES[verdict])
    console.print(table)
    if len(verdicts) > _ROWS:
        console.print(f"… and {len(verdicts) - _ROWS} more in {results}")
    console.print(_counts(verdicts))
    console.print(outcome.plan.caveat, highlight=False, markup=False)
    console.print(_webhook_line(outcome.event), highlight=False, markup=False)


def _print_enrolled(console: Console, outcome: Outcome) -> None:
    for item in outcome.enrolled:
        error = item.get("error")
        reasons = [face.get("reason") for face in item.get("faces") or () if not face["enrolled"]]
        if error or reasons:
            why = f"{error['code']}: {error['message']}" if error else str(reasons[0])
            console.print(f"Not enrolled: {item['custom_id']} ({why})", markup=False)


def _row(
    item: dict[str, Any], person: str | None, enrolled: frozenset[str]
) -> tuple[tuple[str, ...], str]:
    name, who = str(Path(item["custom_id"]).with_suffix("")), _who(person, enrolled)
    if item.get("error"):
        return (name, who, "", "", item["error"]["code"]), "missed" if person in enrolled else ""
    faces = item.get("faces") or []
    if not faces:
        return (name, who, "", "", "no face"), "missed" if person in enrolled else ""
    face = max(faces, key=_best_similarity)
    best = face["matches"][0] if face["matches"] else None
    found = best["subject"] if best and face["decision"] == "match" else "nobody"
    similarity = f"{best['similarity']:.3f}" if best else ""
    verdict = _verdict(found, person, enrolled)
    return (name, who, found, similarity, face["decision"]), verdict


def _best_similarity(face: dict[str, Any]) -> float:
    return max((match["similarity"] for match in face["matches"]), default=-1.0)


def _who(person: str | None, enrolled: frozenset[str]) -> str:
    if person is None:
        return "not told"
    return person if person in enrolled else "a stranger"


def _verdict(found: str, person: str | None, enrolled: frozenset[str]) -> str:
    if person is None:
        return ""
    expected = person if person in enrolled else "nobody"
    if found == expected:
        return "right"
    return "missed" if found == "nobody" else "wrong"


def _counts(verdicts: list[str]) -> str:
    told = [verdict for verdict in verdicts if verdict]
    count = {name: told.count(name) for name in ("right", "missed", "wrong")}
    return (
        f"{count['right']} of {len(told)} right, {count['missed']} missed, "
        f"{count['wrong']} named wrongly."
    )


def _webhook_line(event: dict[str, Any] | None) -> str:
    if event is None:
        return f"No webhook that its signature verifies came within {WEBHOOK_SECONDS:g} s."
    return f"Webhook {event['type']} received, its signature verified with standardwebhooks."
