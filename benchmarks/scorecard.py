"""The figures for people: each beside its target, and whether it is reached."""

from collections.abc import Mapping
from typing import Any, Final

_FIGURES: Final = (
    ("copy_rows_s", "binary COPY of the same rows, nothing else", None, None),
    ("copy_logged_rows_s", "the same into a chunk that is there: written to the log, as any stream is", None, None),
    ("paho_msgs_s", "stock client: receive and acknowledge, 1 sample a message", None, None),
    ("paho_cpu_us_per_msg", "its CPU", None, None),
    ("single_msgs_s", "whole path, 1 sample a message", None, None),
    ("batch_rows_s", "whole path, 20 samples a message", None, None),
    ("single_per_paho", "", ">=", 0.85),
    ("batch_per_copy", "", ">=", 0.4),
    ("batch_per_copy_logged", "", None, None),
    ("ingest_cpu_us_per_row", "at 20 samples a message", "<=", 12.0),
    ("single_cpu_us_per_row", "at 1 sample a message", None, None),
    ("rss_mb_max", "", "<", 300.0),
    ("rss_mb_at_25_pct", "of a drain", None, None),
    ("rss_mb_at_100_pct", "", None, None),
    ("latency_p50_s", "publish -> stored at half the limit", None, None),
    ("latency_p99_s", "", "<=", 1.0),
    ("lost", "", "<=", 0),
    ("duplicated", "", "<=", 0),
    ("samples_per_core_s", "simulated fleet to memory, a second of CPU", ">=", 200_000),
    ("seconds_per_million", "the whole catalogue over a million stored samples, reading included", "<=", 30.0),
    ("rules", "in the catalogue", None, None),
    ("fires", "how often one of them fired", None, None),
    ("pandas_ratio", "plain pandas' time over the engine's, five rules, same findings", None, None),
    ("p50_s", "publish -> finding at half of ingest's limit, 1 sample a message", None, None),
    ("p99_s", "", "<=", 2.0),
    ("msgs_s", "the load", None, None),
    ("watch_cpu_us_per_row", "CPU of vsc watch", None, None),
    ("watch_rss_mb_max", "", None, None),
    ("values_per_core_s", "the same in numbers, cell groups and modules one by one", None, None),
)
"""Name, meaning, and the target of the issue that asked for it."""


def rows_of(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row a figure: median, least and greatest of the rounds, target, whether it is reached."""
    rows = []
    for name, meaning, sign, target in _FIGURES:
        if name in figures:
            each = figures.get("per_round", {}).get(name, [figures[name]])
            rows.append(
                {
                    "figure": name,
                    "median": _shown(figures[name]),
                    "spread": f"{_shown(min(each))} to {_shown(max(each))}" if len(each) > 1 else "",
                    "target": f"{sign} {target:g}" if sign else "",
                    "reached": ("yes" if _reached(figures[name], sign, target) else "NO") if sign else "",
                    "what": meaning,
                }
            )
    return rows


def _reached(value: float, sign: str, target: float | None) -> bool:
    if target is None:
        return True
    return {">=": value >= target, "<=": value <= target, "<": value < target}[sign]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - as people read numbers
