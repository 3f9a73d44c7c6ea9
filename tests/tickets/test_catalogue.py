from pathlib import Path

import pytest

from tickets.catalogue import CATALOGUE_FILE, CatalogueError, load_catalogue
from vehicle.failure import OCCASIONS


def test_every_failure_mode_and_service_item_is_in_the_catalogue() -> None:
    assert set(load_catalogue()) == set(OCCASIONS)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = CATALOGUE_FILE.read_text(encoding="utf-8")
    text = text.replace("[tyre_slow_leak]", "[tyre_fast_leak]")
    text = text.replace("duration_min = 360", 'duration_min = "long"')
    text = text.replace(
        'critical = "service_centre", danger = "tow" }', 'critical = "service_centre", danger = "boat" }'
    )
    text = text.replace('info = "mobile", warning = "service_centre"', 'info = "tow", warning = "service_centre"')
    text = text.replace("due_days = { info = 30, warning = 10", "due_days = { info = 3, warning = 10", 1)
    path = tmp_path / "catalogue.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(path)
    lines = str(raised.value).splitlines()
    for expected in (
        "tyre_slow_leak: is missing",
        "tyre_fast_leak: Value error, is neither a failure mode nor a service item",
        "weak_cell_group.duration_min: ",
        "hv_isolation_loss.channel.danger: ",
        "coolant_pump_weak.channel",
        "lv_battery_ageing.due_days: Value error, a worse severity is due later",
    ):
        assert any(expected in line for line in lines), expected
    assert all(line.startswith("catalogue.toml: ") for line in lines)


def test_less_effort_for_worse_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    text = CATALOGUE_FILE.read_text(encoding="utf-8")
    path.write_text(
        text.replace('info = "mobile", warning = "service_centre"', 'info = "tow", warning = "service_centre"')
    )
    with pytest.raises(CatalogueError, match="a worse severity asks for less effort"):
        load_catalogue(path)


@pytest.mark.parametrize("content", [b"[[[", b"\xff", None])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "catalogue.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
