"""What the lines of a log come to: errors, endpoints, stages, statements, clients."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from scripts.watching.durations import Durations, milliseconds
from scripts.watching.log_lines import Line, Reading

_PROBLEMS = {"warning", "error", "critical"}
_ERRORS = {"error", "critical"}
# Told in tables of their own.
_TIMES = {"request", "slow_statement"}
# What says which kind of an event it is, in this order; the rest differs from line to line.
_KINDS = ("code", "reason", "error")
_ID = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_LONGEST = 120
_FAILED = 500
_REFUSED = 400


@dataclass
class _Client:
    requests: int = 0
    refused: int = 0
    failed: int = 0
    worked_ms: float = 0.0


@dataclass
class _Statement:
    times: int = 0
    most_ms: float = 0.0


@dataclass
class LogReport:
    """Sums over lines; memory goes with the kinds of things, not with the lines."""

    first: str = ""
    last: str = ""
    problems: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    endpoints: dict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))
    slow: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    stages: dict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))
    statements: dict[str, _Statement] = field(default_factory=lambda: defaultdict(_Statement))
    clients: dict[str, _Client] = field(default_factory=lambda: defaultdict(_Client))

    @property
    def errors(self) -> int:
        """Lines of level error and above."""
        return sum(times for (level, _, _), times in self.problems.items() if level in _ERRORS)

    def add(self, line: Line) -> None:
        """Take in a line, whose fields may be anything."""
        moment, event = str(line["timestamp"]), str(line.get("event", ""))
        self.first = min(self.first or moment, moment)
        self.last = max(self.last, moment)
        level = str(line.get("level", "")).lower()
        if level in _PROBLEMS and event not in _TIMES:
            self.problems[level, _alike(event), _alike(_kind(line))] += 1
        if event == "request":
            self._add_request(line)
        elif event == "slow_statement":
            self._add_statement(line)
        elif event == "shard_task_done" and isinstance(line.get("stages_ms"), dict):
            for stage, took in line["stages_ms"].items():
                if (took_ms := milliseconds(took)) is not None:
                    self.stages[str(stage)].add(took_ms)

    def _add_request(self, line: Line) -> None:
        took_ms = milliseconds(line.get("duration_ms"))
        if took_ms is None:
            return
        worked_ms = max(took_ms - (milliseconds(line.get("waited_ms")) or 0.0), 0.0)
        # Lines of older versions have no route.
        route = line.get("route") or _ID.sub("…", str(line.get("path", "")))
        endpoint = f"{line.get('method', '?')} {route}"
        status = line.get("status")
        status = status if isinstance(status, int) else 0
        self.endpoints[endpoint].add(worked_ms)
        self.slow[endpoint] += line.get("slow") is True
        self.failed[endpoint] += status >= _FAILED
        client = self.clients[str(line.get("tenant_id", "no key"))]
        client.requests += 1
        client.worked_ms += worked_ms
        client.failed += status >= _FAILED
        client.refused += _REFUSED <= status < _FAILED

    def _add_statement(self, line: Line) -> None:
        left_out = line.get("left_out")
        statement = self.statements[str(line.get("statement", ""))]
        statement.times += 1 + (left_out if isinstance(left_out, int) else 0)
        took_ms = milliseconds(line.get("duration_ms")) or 0.0
        statement.most_ms = max(statement.most_ms, took_ms)

    def as_dict(self, reading: Reading, top: int) -> dict[str, Any]:
        """The first `top` of each table."""
        return {
            "lines": reading.lines,
            "unreadable_lines": reading.unreadable,
            "faults": reading.faults,
            "from": self.first or None,
            "to": self.last or None,
            "errors": self.errors,
            "problems": [
                {"count": times, "level": level, "event": event, "kind": kind}
                for (level, event, kind), times in _errors_first(self.problems)[:top]
            ],
            "endpoints": [
                {"endpoint": name, "slow": self.slow[name], "failed": self.failed[name]}
                | took.as_dict()
                for name, took in _slowest(self.endpoints)[:top]
            ],
            "stages": [{"stage": name} | took.as_dict() for name, took in _slowest(self.stages)],
            "slow_statements": [
                {"count": one.times, "max_ms": round(one.most_ms, 1), "statement": shape}
                for shape, one in _most(self.statements, lambda one: one.most_ms)[:top]
            ],
            "clients": [
                {
                    "client": name,
                    "requests": one.requests,
                    "refused": one.refused,
                    "failed": one.failed,
                    "worked_s": round(one.worked_ms / 1000, 2),
                }
                for name, one in _most(self.clients, lambda one: one.requests)[:top]
            ],
        }


def _alike(text: str) -> str:
    """The text without what differs between two of its kind: ids and numbers."""
    first = text.strip().partition("\n")[0]
    return _NUMBER.sub("N", _ID.sub("…", first))[:_LONGEST]


def _kind(line: Line) -> str:
    for name in _KINDS:
        if line.get(name):
            return str(line[name])
    # The last line of a traceback is the error.
    return str(line.get("exception") or "").strip().rpartition("\n")[2].partition(":")[0]


def _errors_first(
    problems: Counter[tuple[str, str, str]],
) -> list[tuple[tuple[str, str, str], int]]:
    return sorted(problems.items(), key=lambda each: (each[0][0] not in _ERRORS, -each[1], each[0]))


def _slowest(durations: dict[str, Durations]) -> list[tuple[str, Durations]]:
    return _most(durations, lambda took: took.percentile(0.95))


def _most(things: dict[str, Any], size: Any) -> list[tuple[str, Any]]:
    return sorted(things.items(), key=lambda each: (-size(each[1]), each[0]))
