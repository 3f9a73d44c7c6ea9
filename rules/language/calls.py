"""Every function of the language by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.language import code_calls, group_calls, window_calls
from rules.language.call import Function
from rules.language.functions import GroupFunction, WindowFunction

_X_WINDOW: Final = ("x", "window")

_WINDOWED: Final = {
    WindowFunction.AVG: "mean of the values; of conditions the share that is true",
    WindowFunction.MIN: "least value; of conditions whether all are true",
    WindowFunction.MAX: "greatest value; of conditions whether any is true",
    WindowFunction.DELTA: "last value less the first",
    WindowFunction.SLOPE: "change per day, by least squares",
    WindowFunction.TREND: "change per day as far as five values or more prove one (Theil-Sen, Sen's interval at 95 %)",
    WindowFunction.QUANTILE: "the value below which a share of the values lies",
    WindowFunction.COUNT: "how many values are known; of conditions how many are true",
    WindowFunction.LAST: "the latest value",
    WindowFunction.TIME_SINCE: "time since the latest value; of conditions since it was last true; at most the window",
}
_ACROSS: Final = {
    GroupFunction.MAX: "greatest of the parts",
    GroupFunction.MIN: "least of the parts",
    GroupFunction.MEDIAN: "median of the parts",
    GroupFunction.SPREAD: "greatest less least of the parts",
    GroupFunction.ARGMAX: "number of the part with the greatest value, from 1",
    GroupFunction.ARGMIN: "number of the part with the least value, from 1",
    GroupFunction.COUNT: "how many parts are known; of conditions of how many it is true",
    GroupFunction.ANY: "whether the condition is true of any part",
    GroupFunction.ALL: "whether the condition is true of all parts",
}

CALLS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        **{
            str(function): Function(
                (*_X_WINDOW, "share") if function is WindowFunction.QUANTILE else _X_WINDOW,
                meaning,
                window_calls.over(function),
            )
            for function, meaning in _WINDOWED.items()
        },
        **{
            str(function): Function(("parts",), meaning, group_calls.across(function))
            for function, meaning in _ACROSS.items()
        },
        "abs": Function(("x",), "the number without its sign", group_calls.absolute),
        "since": Function(
            ("state", "window"),
            "how long the car has been in the state, at most the window; 0 while it is not in it",
            window_calls.since,
        ),
        "absent": Function(
            ("x", "window"),
            "whether a signal has not been heard for the window although the car was awake",
            window_calls.absent,
        ),
        "baseline": Function(
            ("x", "number"),
            "median of the car's first so many values, known from the next one on",
            window_calls.baseline,
        ),
        "code": Function(
            ("code", "status"),
            'whether a trouble code, or one of several ("BMS_*"), has this status bit of ISO 14229-1',
            code_calls.code,
        ),
        "code_count": Function(
            ("code", "status", "window"), "how often such a code has newly got the status bit", code_calls.code_count
        ),
    }
)
