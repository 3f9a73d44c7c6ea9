"""The page ``docs/signals.md``, written from the catalogue: ``python -m vehicle.signals_page > docs/signals.md``."""

import sys
from collections.abc import Iterable, Sequence

from vehicle.signals import ATTRIBUTES, CATALOGUE, CATALOGUE_VERSION, Signal, SignalKind

_INTRODUCTION = """\
# Signals

Written by `python -m vehicle.signals_page` from `vehicle/signals.toml`: change that file, not this page.
Catalogue version `{version}`.

A name is a column of the table `telemetry` and a key of a batch. Values outside the range are rejected; the resolution
is the sensor's step, at which equal values are the same. VSS paths are those of VSS 6.0, the instances of
`ElectricMotor` those of its successor; a path marked `*` is ours, because VSS has none. A factor turns the other
standard's value into ours.
"""


def signals_page() -> str:
    """The whole page as Markdown."""
    signals = [_signal_row(signal) for signal in CATALOGUE.values()]
    attributes = [
        (f"`{a.name}`", a.title, a.told_in, _path(a.vss, overlay=a.overlay), _code(a.tesla), _code(a.ovms))
        for a in ATTRIBUTES.values()
    ]
    return "\n".join(
        [
            _INTRODUCTION.format(version=CATALOGUE_VERSION),
            *_table(("name", "meaning", "unit", "range", "resolution", "column", "VSS", "Tesla", "OVMS"), signals),
            "",
            "## Enumerations",
            "",
            "On the wire the value, in batches and in the database its index, from 0.",
            "",
            *_table(("name", "values"), [(f"`{s.name}`", ", ".join(s.values)) for s in CATALOGUE.values() if s.values]),
            "",
            "## Texts",
            "",
            "Told once instead of being sampled, so they have no column.",
            "",
            *_table(("name", "meaning", "told in", "VSS", "Tesla", "OVMS"), attributes),
            "",
        ]
    )


def _signal_row(signal: Signal) -> tuple[str, ...]:
    is_measure = signal.kind in {SignalKind.NUMBER, SignalKind.INTEGER, SignalKind.ARRAY}
    return (
        f"`{signal.name}`",
        f"{signal.title} ({signal.sign})" if signal.sign else signal.title,
        signal.unit,
        f"{signal.minimum:.12g} to {signal.maximum:.12g}" if is_measure else "",
        f"{signal.resolution:g}" if is_measure else "",
        signal.column_type,
        _path(signal.vss, overlay=signal.overlay) + _times(signal.vss_factor),
        _code(signal.tesla) + _times(signal.tesla_factor),
        _code(signal.ovms) + _times(signal.ovms_factor),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _path(path: str, *, overlay: bool) -> str:
    return _code(path.removeprefix("Vehicle.")) + (" \\*" if overlay else "")


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""


def _times(factor: float) -> str:
    return "" if factor == 1 else f" x {factor:g}"


if __name__ == "__main__":
    sys.stdout.write(signals_page())
