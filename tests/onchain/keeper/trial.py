"""One case from shock to verdict: predict, write that down, execute, write that down, compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from defirisk.contagion.cascade.play import Cascade
from defirisk.shocks.grammar import scenario

from .compare import Comparison, compare
from .predicted import Prediction
from .record import Record
from .scenarios import Case
from .stage import Stage

PREDICTED, HAPPENED = "predicted.json", "happened.json"


@dataclass(frozen=True)
class Trial:
    """What was said before, and what was seen."""

    case: Case
    predicted: Record
    happened: Record

    @property
    def comparison(self) -> Comparison:
        """The one against the other."""
        return compare(self.predicted, self.happened)


def tried(stage: Stage, case: Case, folder: Path) -> Trial:
    """The prediction is in its file before the keeper starts, who reads nothing but its header."""
    book = stage.book(case.deployments)
    prediction = Prediction(Cascade(book), scenario("", list(case.shocks), book), case.settings)
    place = folder / re.sub(r"[^\w.]+", "-", case.label)
    place.mkdir(parents=True, exist_ok=True)
    (place / PREDICTED).write_text(prediction.record().to_json())
    predicted = Record.load(place / PREDICTED)
    happened = stage.execute(predicted.header)
    (place / HAPPENED).write_text(happened.to_json())
    return Trial(case, predicted, happened)
