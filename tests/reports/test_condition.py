from datetime import timedelta

import numpy as np

from reports.condition import condition_charts
from reports.problems import Problem
from storage.health import DailyCondition
from tests.support.a_visit import NOW, an_alert


def a_day(car: str, day: int, **measured: float) -> DailyCondition:
    empty = dict.fromkeys(("lv_rest_v", "tyre_spread_kpa", "cell_spread_mv", "isolation_kohm"))
    return DailyCondition(car, NOW + timedelta(days=day), **{**empty, **measured})


def test_cars_with_a_problem_of_that_kind_stand_out() -> None:
    days = [
        a_day(car, day, tyre_spread_kpa=4.0, lv_rest_v=12.6) for car in ("veh-0001", "veh-0002") for day in range(3)
    ]
    battery, tyres = condition_charts(days, [Problem(an_alert(), None)])
    assert tyres.company == ("veh-0002",)
    assert battery.company == ("veh-0001", "veh-0002")
    assert [trace.values.tolist() for trace in tyres.traces] == [[4.0] * 3] * 2


def test_a_day_without_a_measurement_is_a_hole_and_an_unmeasured_fleet_has_no_chart() -> None:
    (chart,) = condition_charts([a_day("veh-0001", 0, isolation_kohm=4000.0), a_day("veh-0001", 1)], [])
    assert np.isnan(chart.traces[0].values).tolist() == [False, True]
    assert condition_charts([a_day("veh-0001", 0)], []) == []
    assert condition_charts([], []) == []
