"""What became of a run."""

from dataclasses import dataclass, field

from tests.support.faults.oracle import Judgement
from tests.support.faults.report import ReportLine


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run."""

    judgement: Judgement
    line: ReportLine
    pending: int
    """Messages that were never acknowledged."""
    troubles: list[str] = field(default_factory=list)
    """What is wrong beside the data: ends that nobody asked for, memory, time."""

    def problems(self) -> list[str]:
        """All that is wrong; empty: every promise was kept."""
        waiting = [f"{self.pending} messages were never acknowledged"] if self.pending else []
        return [*self.judgement.problems(), *waiting, *self.troubles]

    def hold(self) -> None:
        """Fail the test unless every promise was kept."""
        assert not self.problems(), f"{self.line}: " + "; ".join(self.problems())
