"""Documents that are generated from tables, so that they cannot rot: ``python -m vsc.pages`` writes them anew."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import TypeAdapter

from config.settings import CHECKOUT, Settings
from rules.page import rules_page
from rules.schema import rules_schema
from simulator.fault_modes_page import fault_modes_page
from vehicle.signals_page import signals_page


def configuration_page() -> str:
    """`docs/configuration.md`: every setting with its variable, default and meaning."""
    rows = [
        f"| `VSC_{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(
        [
            "# Configuration",
            "",
            "Settings come from the environment. Durations are ISO 8601: `P30D`, `PT10M`.",
            "`make docs` writes this page from `config/settings.py`.",
            "",
            "| variable | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _shown(default: object) -> str:
    if default is None:
        return "-"
    if isinstance(default, timedelta):
        return f"`{TypeAdapter(timedelta).dump_python(default, mode='json')}`"
    # A path of this machine must not get into a page.
    return f"`{os.path.relpath(default, CHECKOUT) if isinstance(default, Path) else default}`"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": configuration_page,
    "docs/fault-modes.md": fault_modes_page,
    "docs/rules.md": rules_page,
    "docs/rules.schema.json": rules_schema,
    "docs/signals.md": signals_page,
}
"""Each generated document and what writes it."""


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (CHECKOUT / name).write_text(page())


if __name__ == "__main__":
    main()
