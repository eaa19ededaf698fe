"""A picture of strangers and of the same people, and of the trade between their errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from scripts.calibrating.comparisons import EDGES, Comparisons


class NoMatplotlibError(Exception):
    """Matplotlib, which draws, is not installed."""


def draw(compared: Comparisons, content: Mapping[str, Any], path: Path) -> None:
    """Draw both distributions and the DET curve to `path`, as its suffix says (.png, .svg).

    Raises:
        NoMatplotlibError: it is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoMatplotlibError("matplotlib is not installed (requirements-dev.txt)") from error
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _distributions(left, compared, content)
    _det(right, content)
    figure.suptitle(f"{content['model']}, calibration {content['version']}")
    figure.savefig(path, dpi=130)


def _distributions(axes: Any, compared: Comparisons, content: Mapping[str, Any]) -> None:
    counts = compared.strangers.counts.reshape(-1, 20).sum(axis=1)
    edges = EDGES[::20]
    width = float(edges[1] - edges[0])
    axes.stairs(
        counts / max(counts.sum(), 1) / width, edges, fill=True, alpha=0.5, label="strangers"
    )
    if len(compared.mated):
        axes.hist(compared.mated, edges, density=True, alpha=0.5, label="the same person")
    impostor = content["impostor"]
    line = np.linspace(-0.4, 1, 400)
    normal = NormalDist(impostor["mean"], impostor["deviation"])
    axes.plot(line, [normal.pdf(x) for x in line], linewidth=1, label="fitted to the highest tenth")
    axes.set(xlim=(-0.4, 1), xlabel="similarity", ylabel="density")
    axes.legend()


def _det(axes: Any, content: Mapping[str, Any]) -> None:
    impostor = content["impostor"]
    stated = np.linspace(0.15, 0.6, 200)
    normal = NormalDist(impostor["mean"], impostor["deviation"])
    axes.plot(
        stated,
        [max(normal.cdf(2 * normal.mean - x), 1e-9) for x in stated],
        label="false match rate, fitted",
    )
    counted = [(at["similarity"], at["fmr"], at["fnmr"]) for at in content["det"]]
    above = [(x, fmr) for x, fmr, _ in counted if fmr]
    axes.plot(*zip(*above, strict=True), ".", label="counted")
    missed = [(x, fnmr) for x, _, fnmr in counted if fnmr]
    if missed:
        axes.plot(*zip(*missed, strict=True), ".", label="false non-match rate, counted")
    axes.axhline(impostor["measured_to"], linestyle=":", linewidth=1, label="measured down to here")
    axes.set(yscale="log", ylim=(1e-6, 1), xlim=(0, 0.8), xlabel="threshold", ylabel="rate")
    axes.legend(fontsize="small")
