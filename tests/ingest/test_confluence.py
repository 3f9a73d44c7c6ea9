"""Fields flow together within a second, none is lost or overwritten, and memory is bounded."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.confluence import MOST_FIELDS, MOST_ROW_BYTES, Confluence, Row
from vehicle.batch import Event, EventKind
from vehicle.foreign import ForeignMessage

START = datetime(2026, 9, 1, tzinfo=UTC)
SOC = ForeignMessage(values={"hv_soc_pct": 60.0})
VOLTAGE = ForeignMessage(values={"hv_voltage_v": 350.0})
GEAR = ForeignMessage(extra={"Gear": "D"})
ALERT = ForeignMessage(events=(Event(START, EventKind.ALERT, details={"name": "x"}),))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def flow(*told: tuple[str, ForeignMessage, float], **bounds: int) -> list[Row[int]]:
    """Every row, closed or at last, of messages each of which is its own source."""
    rows: Confluence[int] = Confluence(**bounds)
    closed = [
        row
        for number, (car, message, seconds) in enumerate(told)
        for row in rows.add(car, message, at(seconds), number, 1)
    ]
    return [*closed, *rows.close_all()]


def test_what_arrives_within_a_second_is_one_row_at_the_time_of_its_first_field() -> None:
    (row,) = flow(("a", SOC, 0.2), ("a", VOLTAGE, 0.7), ("a", GEAR, 1.19), ("a", ALERT, 1.19))
    assert row.at == at(0.2)
    assert row.values == {"hv_soc_pct": 60.0, "hv_voltage_v": 350.0}
    assert row.extra == {"Gear": "D"}
    assert row.events == list(ALERT.events)
    assert row.sources == [0, 1, 2, 3]


def test_a_second_later_begins_another_row() -> None:
    first, second = flow(("a", SOC, 0.2), ("a", VOLTAGE, 1.2))
    assert (first.at, second.at) == (at(0.2), at(1.2))


def test_cars_are_kept_apart() -> None:
    assert [(row.vehicle_id, row.sources) for row in flow(("a", SOC, 0), ("b", SOC, 0.1), ("a", GEAR, 0.2))] == [
        ("a", [0, 2]),
        ("b", [1]),
    ]


def test_a_field_that_comes_again_begins_another_row() -> None:
    for message in (SOC, GEAR):
        assert [row.sources for row in flow(("a", message, 0), ("a", VOLTAGE, 0), ("a", message, 0.5))] == [[0, 1], [2]]


def test_an_event_told_twice_is_one() -> None:
    (row,) = flow(("a", ALERT, 0), ("a", ALERT, 0.1))
    assert row.events == list(ALERT.events)
    assert row.sources == [0, 1]


def test_a_row_closes_by_time_alone_and_when_the_clock_is_set_back() -> None:
    for now, closes in ((0.999, False), (1.0, True), (-5.0, True)):
        rows: Confluence[None] = Confluence()
        assert not list(rows.add("a", SOC, at(0), None, 1))
        assert bool(list(rows.close(at(now)))) is closes


def test_a_row_is_bounded_in_fields_and_bytes() -> None:
    many = [("a", ForeignMessage(extra={f"x{n}": n}), 0.0) for n in range(MOST_FIELDS + 1)]
    assert [len(row.extra) for row in flow(*many)] == [MOST_FIELDS, 1]
    rows: Confluence[None] = Confluence()
    closed = [row for message in (SOC, GEAR) for row in rows.add("a", message, START, None, MOST_ROW_BYTES)]
    assert len(closed) == 1


def test_all_rows_together_are_bounded_and_the_oldest_closes_first() -> None:
    told = [(car, SOC, 0.0) for car in "abc"]
    for bounds in ({"most_rows": 2}, {"most_bytes": 2}):
        rows: Confluence[int] = Confluence(**bounds)
        closed = [row for car, message, _ in told for row in rows.add(car, message, START, 0, 1)]
        assert [row.vehicle_id for row in closed] == ["a"]
        assert list(rows.open_rows()) == ["b", "c"]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([SOC, VOLTAGE, GEAR, ALERT]), st.floats(0, 3)), max_size=30
    )
)
def test_every_message_is_in_one_row_in_order_and_no_row_lasts_longer_than_a_second(
    told: list[tuple[str, ForeignMessage, float]],
) -> None:
    told.sort(key=lambda each: each[2])
    rows = flow(*told)
    assert sorted(source for row in rows for source in row.sources) == list(range(len(told)))
    for row in rows:
        assert row.sources == sorted(row.sources)
        assert all(told[source][0] == row.vehicle_id for source in row.sources)
        assert all(row.at <= at(told[source][2]) < row.at + timedelta(seconds=1) for source in row.sources)
        values = [told[source][1].values for source in row.sources if told[source][1].values]
        assert len(row.values) == len(values)
