"""One page that says what a calibration rests on and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def report(content: Mapping[str, Any], picture: str | None) -> str:
    """Write the page, in Markdown, of a calibration file's content."""
    return "\n".join(
        [*_head(content), *_rates(content), *_kinds(content), *_mated(content, picture)]
    )


def _head(content: Mapping[str, Any]) -> Iterator[str]:
    impostor = content["impostor"]
    yield f"# Calibration {content['version']} of {content['model']}"
    yield ""
    yield f"Made {content['made_at']} of {content['source']}."
    yield ""
    yield (
        f"Strangers: {impostor['people']} people, {impostor['pairs_of_people']} pairs of people, "
        f"{impostor['pairs']} comparisons. Their highest tenth is that of a normal distribution "
        f"of mean {impostor['mean']} and deviation {impostor['deviation']}."
    )
    yield ""
    yield (
        f"Rates down to {impostor['measured_to']:g} are measured: at that rate ten pairs of people "
        "are above the threshold, so that the true rate lies within a factor of two. Lower ones "
        "are extrapolated."
    )
    yield ""


def _rates(content: Mapping[str, Any]) -> Iterator[str]:
    yield "| false match rate | similarity | 95 % of bootstraps over people | observed | |"
    yield "|---|---|---|---|---|"
    for at in content["impostor"]["at"]:
        yield (
            f"| {at['fmr']:g} | {at['similarity']:.3f} | {at['low']:.3f} to {at['high']:.3f} "
            f"| {at['observed']:.2g} | {at['basis']} |"
        )
    yield ""


def _kinds(content: Mapping[str, Any]) -> Iterator[str]:
    yield "Fitted on one half of the people, and on all other kinds of picture where there are"
    yield "several, read on the other half: mean of many halvings, and where 90 % of them lay."
    yield ""
    rates = list(dict.fromkeys(reading["stated"] for reading in content["readings"]))
    yield "| pictures | faces | none found | " + " | ".join(f"{rate:g}" for rate in rates) + " |"
    yield "|---" * (3 + len(rates)) + "|"
    for kind, faces in content["faces"].items():
        cells = [
            f"{r['observed']:.2g} ({r['low']:.2g} to {r['high']:.2g})"
            for r in content["readings"]
            if r["kind"] == kind
        ]
        missed = content["without_face"].get(kind, 0)
        yield f"| {kind} | {faces} | {missed} | " + " | ".join(cells) + " |"
    yield ""


def _mated(content: Mapping[str, Any], picture: str | None) -> Iterator[str]:
    mated = content["mated"]
    if mated["pairs"]:
        quantiles = ", ".join(f"{k}: {v:.3f}" for k, v in mated["quantiles"].items())
        yield (
            f"The same person in two photographs: {mated['pairs']} comparisons of "
            f"{mated['people']} people, mean {mated['mean']}, quantiles {quantiles}."
        )
    else:
        yield "Nobody is in two photographs: nothing is said of people who are not recognised."
    yield ""
    if picture is not None:
        yield f"![Similarities of strangers and of the same people]({picture})"
        yield ""
