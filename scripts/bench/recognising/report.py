"""From rounds of measurements to the figures that are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

Answer = Mapping[str, Any]
Rounds = Mapping[str, Sequence[Answer]]

_PACKAGES = ("onnxruntime", "openvino", "opencv-contrib-python-headless", "numpy", "deepface")
_STAGES = ("decode", "detect", "align", "quality", "embed")
_RIVALS = {"ONE": "deepface", "DEFAULT": "deepface_default"}


def figures(rounds: Rounds, count: int) -> dict[str, Any]:
    """State rates by the clock, and processor time, which a busy machine changes less.

    `rounds` holds the answers of each way to recognise the same `count` pictures: `bare` and
    `stream` always, `whole` and the rivals if they ran.
    """
    measured = "whole" if "whole" in rounds else "stream"
    rate = {way: count / _sum(answers, "wall") for way, answers in rounds.items()}
    report = {
        "bare_ips": round(rate["bare"], 2),
        "pipeline_ips": round(rate[measured], 2),
        "ratio": round(rate[measured] / rate["bare"], 3),
        "cpu_ratio": _cpu_ratio(rounds, "bare", measured),
        "stream_ips": round(rate["stream"], 2),
        "stream_cpu_ratio": _cpu_ratio(rounds, "bare", "stream"),
    }
    for way, key in _RIVALS.items():
        if way in rounds:
            report |= _against(rounds, way, key, measured, rate)
    return report | {
        "stage_ms": _stages(rounds, count),
        "cpu_s_per_image": round(_sum(rounds[measured], "cpu") / count, 4),
        "rss_mb": max(answer["rss_mb"] for answer in rounds[measured]),
        "faces": {way: _sum(answers, "faces") for way, answers in rounds.items()},
        "cpu_ms_per_face": {
            way: round(1000 * _sum(answers, "cpu") / max(1, _sum(answers, "faces")), 1)
            for way, answers in rounds.items()
        },
    }


def versions() -> dict[str, str]:
    """Return the versions of what computes, of those that are installed."""
    return dict(_installed())


def _installed() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def _against(
    rounds: Rounds, way: str, key: str, measured: str, rate: Mapping[str, float]
) -> dict[str, Any]:
    """Compare with DeepFace; `_cores` above 1 says that it left the core that it was pinned to."""
    cores = _sum(rounds[way], "cpu") / _sum(rounds[way], "wall")
    return {
        f"{key}_ips": round(rate[way], 2),
        f"vs_{key}": round(rate[measured] / rate[way], 2),
        f"cpu_vs_{key}": _cpu_ratio(rounds, way, measured),
        f"{key}_cores": round(cores, 2),
    }


def _stages(rounds: Rounds, count: int) -> dict[str, float]:
    """Milliseconds an image: the bare stages by the clock, fetch and write by processor time."""
    found = {
        name: sum(answer["stages"].get(name, 0.0) for answer in rounds["bare"]) for name in _STAGES
    }
    if "whole" in rounds:
        found |= {name: _sum(rounds["whole"], name) for name in ("fetch", "write", "write_wait")}
    return {name: round(1000 * seconds / count, 2) for name, seconds in found.items()}


def _cpu_ratio(rounds: Rounds, of: str, to: str) -> float:
    return float(round(_sum(rounds[of], "cpu") / _sum(rounds[to], "cpu"), 3))


def _sum(answers: Sequence[Answer], name: str) -> Any:
    return sum(answer[name] for answer in answers)
