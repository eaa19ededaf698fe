from __future__ import annotations

import json

from scripts.bench.fuzz import Outcome

REPORT = {
    "test_cases": {"generated": 3},
    "seed": 7,
    "failures": [
        {"title": "Server error", "count": 2, "code": "ST101"},
        {"title": "Schema violation", "count": 1, "code": "ST102"},
    ],
    "errors": ["no answer"],
}


def test_a_report_that_tells_of_violations_is_json_too() -> None:
    outcome = Outcome()
    outcome.add(REPORT, "what was sent")

    assert json.loads(outcome.as_json()) == {
        "cases": 3,
        "violations": {"Server error": 2, "Schema violation": 1, "Not tested": 1},
        "told": ["what was sent"],
        "seeds": [7],
        "server_errors": 2,
    }
