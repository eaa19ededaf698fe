"""What a similarity says: how often two different people look at least this alike to a model.

A calibration is fitted to counted comparisons by `scripts/calibrate.py` and travels as a JSON file,
or it is the registry's own. Pure Python: the workers that decide read it, and no array library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import erfc, sqrt
from statistics import NormalDist
from sys import float_info
from typing import Any

from app.domain.errors import CalibrationInvalid

FORMAT = 1
SHIPPED = "shipped"
_DIGITS = 12


class RateBasis(StrEnum):
    """Whether a rate lies where comparisons were counted, or beyond them."""

    MEASURED = "measured"
    EXTRAPOLATED = "extrapolated"


@dataclass(frozen=True)
class Calibration:
    """The upper tail of the cosines of different people, as that of a normal distribution.

    Attributes:
        mean: of that distribution, a cosine.
        deviation: its standard deviation, above 0.
        provisional: it was not measured on a population of one's own.
        source: what it was fitted to, in words.
        version: 12 hexadecimal digits of its file, or "shipped".
        model: the identity (`name@digest`) it was fitted for; None: no comparison was counted.
        measured_to: the lowest rate that the comparisons support; None: none.
        people: how many people were compared.
        pairs: how many pairs of pictures of different people were compared.
    """

    mean: float
    deviation: float
    provisional: bool
    source: str
    version: str = SHIPPED
    model: str | None = None
    measured_to: float | None = None
    people: int = 0
    pairs: int = 0

    def false_match_rate(self, similarity: float) -> float:
        """Probability that two different people are at least this similar; never 0.

        By erfc, since NormalDist.cdf rounds to 0 what is beyond 8.3 deviations.
        """
        return 0.5 * erfc((similarity - self.mean) / (self.deviation * sqrt(2)))

    def threshold(self, false_match_rate: float) -> float:
        """Similarity that two different people exceed with this probability, 0 to below 1.

        Above 1 where the rate is lower than the model can hold: nobody is named then.
        """
        rate = max(false_match_rate, float_info.min)
        return 2 * self.mean - NormalDist(self.mean, self.deviation).inv_cdf(rate)

    def basis(self, false_match_rate: float) -> RateBasis:
        """Say whether enough comparisons were counted to have seen this rate."""
        if self.measured_to is None or false_match_rate < self.measured_to:
            return RateBasis.EXTRAPOLATED
        return RateBasis.MEASURED

    def applied_to(self, identity: str) -> Calibration:
        """This calibration for faces of `identity`: of another model, nothing was counted."""
        return self if self.model == identity else replace(self, measured_to=None)


def version_of_file(content: Mapping[str, Any]) -> str:
    """The version of a calibration file: digits of everything in it but the version itself."""
    counted = {key: value for key, value in content.items() if key != "version"}
    text = json.dumps(counted, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def read_calibration(text: str) -> Calibration:
    """Read a calibration file as `scripts/calibrate.py` wrote it.

    Raises:
        CalibrationInvalid: it is none, was changed by hand, or states what cannot be.
    """
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise CalibrationInvalid(f"Its format is {content['format']!r}; known is {FORMAT}")
        impostor = content["impostor"]
        found = Calibration(
            mean=float(impostor["mean"]),
            deviation=float(impostor["deviation"]),
            provisional=False,
            source=str(content["source"]),
            version=str(content["version"]),
            model=str(content["model"]),
            measured_to=float(impostor["measured_to"]),
            people=int(impostor["people"]),
            pairs=int(impostor["pairs"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CalibrationInvalid(f"It is no calibration file: {error!r}") from error
    if found.version != version_of_file(content):
        raise CalibrationInvalid("Its version is not that of its content: it was changed")
    _require_possible(found)
    return found


def _require_possible(found: Calibration) -> None:
    if not (-1 <= found.mean <= 1 and 0 < found.deviation <= 1):
        raise CalibrationInvalid(f"No cosines have mean {found.mean}, deviation {found.deviation}")
    if found.measured_to is None or not 0 < found.measured_to <= 1:
        raise CalibrationInvalid(f"No data support a rate down to {found.measured_to}")
