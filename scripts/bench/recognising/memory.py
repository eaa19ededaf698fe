"""Whether a child's memory stays flat over many thousand pictures."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from scripts.bench.recognising.measure import Say, Wanted, drawn_pictures
from scripts.bench.recognising.processes import SubjectProcess


def measure_memory(wanted: Wanted, total: int, say: Say) -> dict[str, Any]:
    """Run `total` pictures, the drawn ones again and again, and sample resident memory.

    `growth` is from the highest sample of the second tenth (the first is warm-up) to the highest
    of the last tenth.
    """
    with drawn_pictures(wanted, say) as folder:
        subject = SubjectProcess(wanted.configuration(folder, whole=False), {})
        with closing(subject):
            samples = []
            for done in range(0, total, wanted.images):
                ask = {"first": 0, "count": wanted.images, "rotation": wanted.rotations[0]}
                answer = subject.ask("stream", **ask)
                samples.append(answer["rss_mb"])
                say(f"{done + wanted.images} pictures: {samples[-1]} MB")
            engine = subject.about["engine"]
    tenth = max(1, len(samples) // 10)
    early, late = max(samples[tenth : 2 * tenth]), max(samples[-tenth:])
    return {
        "images": len(samples) * wanted.images,
        "rss_mb_early": early,
        "rss_mb_late": late,
        "rss_mb_most": max(samples),
        "growth": round(late / early - 1, 4),
        "engine": engine,
    }
