"""What a rule's conditions say at each sample, part by part."""

from functools import cached_property

import numpy as np

from rules.engine.columns import WORKSHOP, Column, Values, visit_of
from rules.engine.evaluation import Evaluation
from rules.engine.needs import needs
from rules.engine.software import runs
from rules.engine.surroundings import Surroundings
from rules.language.tree import Expression
from rules.language.walk import series_of
from rules.rule import Part, Rule


class Conditions:
    """The conditions of one rule over one batch; those that only a sick car needs are worked out when one is."""

    def __init__(self, rule: Rule, around: Surroundings) -> None:
        self.rule = rule
        self.around = around
        self._evaluate = Evaluation(around)

    @cached_property
    def level(self) -> Values:
        """The highest rung whose `when` holds, from 1; 0 where the rule's own does not hold, NaN where not known."""
        when = self._where_valid(self.rule.when, elsewhere=0.0)
        levels = when.copy()
        for number, rung in enumerate(self.rule.ladder[1:], start=2):
            levels = np.where((when == 1) & (self._evaluate(rung.when) == 1), float(number), levels)
        return self._whole(levels)

    @cached_property
    def well(self) -> Values:
        """`until`."""
        return self._whole(self._where_valid(self.rule.until, elsewhere=1.0))

    @cached_property
    def exposure(self) -> Values:
        """The latch's."""
        exposure = self.rule.latch.exposure
        return self._whole(np.full((1, 1), np.nan) if exposure is None else self._evaluate(exposure))

    @cached_property
    def gauge(self) -> Values:
        """The number that is watched; of a rule without one, whether `when` holds."""
        gauge = self.rule.gauge
        return self._whole(self.level if gauge is None else self._evaluate(gauge.expression))

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The parts, as findings name them: one without a name for the car as a whole."""
        group = self.rule.group
        if group is None:
            return ("",)
        if group.members:
            return group.members
        width = max(self.around.series(one).shape[1] for one in series_of(self.rule.when) if one.group == group)
        return tuple(group.member(number) for number in range(1, width + 1))

    def number(self, part: Part) -> Values:
        """Which of like parts is meant, from 1, shape (n,)."""
        return self._evaluate(part.number)[:, 0]

    @cached_property
    def visits(self) -> tuple[Column, ...]:
        """When workshops have seen to what the rule judges."""
        columns, component = self.around.batch.columns, self.rule.failure_mode.component
        return tuple(columns[name] for name in (WORKSHOP, visit_of(component)) if name in columns)

    def take_note(self) -> None:
        """Work out what is remembered or carried, whether or not it is asked for at these samples."""
        needed = needs(self.rule)
        noted: tuple[Expression, ...] = (*needed.baselines, *needed.absent)
        for one in noted:
            self._evaluate(one)
        for node in needed.windows if self.around.carried is not None else ():
            self._evaluate.reach(node)

    @cached_property
    def _meant(self) -> Values:
        """Whether the car has software that the rule is for."""
        return runs(self.rule.software, self.around.batch.vehicles, self.around.clock)

    def _where_valid(self, node: Expression, elsewhere: float) -> Values:
        """What an expression says where the rule can be judged; `elsewhere` where the car has other software."""
        values = self._evaluate(node)
        if self.rule.valid_when is not None:
            values = np.where(self._evaluate(self.rule.valid_when) == 1, values, np.nan)
        if not self.rule.software:
            return values
        return np.where(self._meant == 1, values, np.where(self._meant == 0, elsewhere, np.nan))

    def _whole(self, values: Values) -> Values:
        """The values of every part, shape (n, members)."""
        return np.broadcast_to(values, (len(self.around.clock), len(self.members)))
