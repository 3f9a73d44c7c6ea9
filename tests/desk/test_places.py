from pathlib import Path

import pytest

from desk.places import Channel, load_places

GOOD = """
[[places]]
id = "a"
name = "A"
channel = "mobile"
area = "x"
time_zone = "Europe/Berlin"
notice_min = 15
resources = ["One"]
hours = { mon = "08:00-12:00" }
"""


def test_every_channel_has_a_place() -> None:
    assert {place.channel for place in load_places().values()} == set(Channel)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + GOOD, "share an id"),
        (GOOD.replace('"mobile"', '"tow"'), "unknown place"),
        (GOOD.replace("08:00-12:00", "12:00-08:00"), "end before they begin"),
        (GOOD.replace("08:00", "08:10"), "quarters"),
        (GOOD.replace("notice_min = 15", "notice_min = 0"), "notice is too short"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "places.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_places(path)
