"""The functions over event-time windows and across parts, and what each says where values are unknown."""

from enum import StrEnum


class WindowFunction(StrEnum):
    """Of the known values in (t - window, t]; unknown if there are none, unless said otherwise."""

    AVG = "avg"
    """Of their values as they stand, not weighted by time; of truths the share that is true."""
    MIN = "min"
    MAX = "max"
    """Of truths: whether any is true (`min`: whether all are)."""
    DELTA = "delta"
    """The last less the first; unknown if there is but one."""
    SLOPE = "slope"
    """Per day, least squares; unknown below two times."""
    TREND = "trend"
    """Per day, as far as the values prove one (`features.trend`); unknown below five."""
    QUANTILE = "quantile"
    """Linear between the neighbours; `share` says which."""
    COUNT = "count"
    """How many are known, of truths how many are true; 0 if none."""
    LAST = "last"
    """The latest; of truths too."""
    TIME_SINCE = "time_since"
    """Seconds since the latest known value, of truths since the latest true one; the window's length if there was none
    in it although the car was known before it began; unknown if it was not."""


class GroupFunction(StrEnum):
    """Of the known values of a group's members, giving one value for the car; unknown if none is known."""

    MAX = "max_of"
    MIN = "min_of"
    MEDIAN = "median_of"
    SPREAD = "spread_of"
    """Greatest less least; unknown below two."""
    ARGMAX = "argmax_of"
    ARGMIN = "argmin_of"
    """The member's number from 1; the first of equals."""
    COUNT = "count_of"
    """How many are true (of truths), or known (of numbers)."""
    ANY = "any_of"
    ALL = "all_of"
    """Of truths, three-valued."""
