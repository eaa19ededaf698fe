"""The calibration file: what was fitted, to what, and how sure it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.domain.calibration import FORMAT, version_of_file
from scripts.calibrating.comparisons import EDGES, Comparisons, Doubles
from scripts.calibrating.fit import Fit
from scripts.calibrating.reading import Reading

_STEP = 0.02
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Measured:
    """Everything that was counted and fitted, before it is written down.

    `faces` and `missed` are photographs by kind: with a usable face, and without.
    """

    model: str
    source: str
    kinds: Mapping[str, Comparisons]
    together: Comparisons
    fitted: Fit
    readings: Sequence[Reading]
    faces: Mapping[str, int]
    missed: Mapping[str, int]


def document(measured: Measured, made_at: dt.datetime) -> dict[str, Any]:
    """Return the content of the calibration file, its version included."""
    strangers, fitted = measured.together.strangers, measured.fitted
    content: dict[str, Any] = {
        "format": FORMAT,
        "model": measured.model,
        "made_at": made_at.isoformat(timespec="seconds"),
        "source": measured.source,
        "impostor": {
            "kind": "normal tail",
            "mean": round(fitted.tail.mean, 5),
            "deviation": round(fitted.tail.deviation, 5),
            "measured_to": float(f"{fitted.measured_to:.3g}"),
            "people": strangers.compared,
            "pairs": strangers.pairs,
            "pairs_of_people": strangers.of_people,
            "at": [_rounded(asdict(bound)) for bound in fitted.bounds],
        },
        "mated": _mated(measured.together),
        "det": det_curve(measured.together),
        "faces": dict(measured.faces),
        "without_face": dict(measured.missed),
        "readings": [_rounded(asdict(reading)) for reading in measured.readings],
    }
    return {"version": version_of_file(content), **content}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in values.items()}


def _mated(compared: Comparisons) -> dict[str, Any]:
    mated = compared.mated
    found: dict[str, Any] = {"people": compared.mated_people, "pairs": len(mated)}
    if len(mated):
        found |= {"mean": round(float(mated.mean()), 4), "deviation": round(float(mated.std()), 4)}
        quantiles = zip(_QUANTILES, np.quantile(mated, _QUANTILES), strict=True)
        found["quantiles"] = {f"{share:g}": round(float(value), 4) for share, value in quantiles}
    return found


def det_curve(compared: Comparisons) -> list[dict[str, float | None]]:
    """Both error rates as counted, by similarity; where nobody has two pictures, `fnmr` is null."""
    counts = compared.strangers.counts
    above: Doubles = counts[::-1].cumsum()[::-1] / max(int(counts.sum()), 1)
    mated = np.sort(compared.mated)
    curve: list[dict[str, float | None]] = []
    for similarity in np.arange(0, 0.8 + _STEP / 2, _STEP):
        place = min(int(np.searchsorted(EDGES, similarity - 1e-9)), len(counts) - 1)
        missed = float(np.searchsorted(mated, similarity) / len(mated)) if len(mated) else None
        curve.append(
            {
                "similarity": round(float(similarity), 3),
                "fmr": float(f"{above[place]:.4g}"),
                "fnmr": None if missed is None else float(f"{missed:.4g}"),
            }
        )
    return curve
