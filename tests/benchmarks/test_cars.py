"""The cars of the benchmarks send what is promised: thirty signals, storable as they are."""

from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.cars import SIGNALS, first_sample_at, make_batches, publication, vehicle_ids
from vehicle.batch import TelemetryBatch
from vehicle.signals import CATALOGUE
from vehicle.wire import decode_telemetry

NOW = datetime(2026, 3, 3, 4, 5, 6, tzinfo=UTC)


def test_thirty_signals_of_the_catalogue() -> None:
    assert len(SIGNALS) == 30
    assert set(SIGNALS) <= set(CATALOGUE)


def test_batches_are_gapless_within_range_and_survive_the_wire() -> None:
    ids = vehicle_ids(3)
    batches = list(make_batches(ids, 20, 7, first_sample_at(NOW), seed=1))
    assert [(batch.vehicle_id, batch.seq) for batch in batches] == [(ids[i % 3], i // 3 + 1) for i in range(7)]
    assert batches[3].times[0] - batches[0].times[-1] == np.timedelta64(timedelta(seconds=1))
    for batch in batches:
        decoded = decode_telemetry(publication(batch).payload)
        assert isinstance(decoded, TelemetryBatch)
        for name, values in batch.columns.items():
            np.testing.assert_array_equal(CATALOGUE[name].quantised(decoded.columns[name]), values)
            present = values[~np.isnan(values)]
            signal = CATALOGUE[name]
            assert np.all((present >= signal.minimum) & (present <= signal.maximum)), name
            np.testing.assert_array_equal(signal.quantised(present), present)


def test_some_values_are_missing() -> None:
    (batch,) = make_batches(vehicle_ids(1), 1000, 1, first_sample_at(NOW), seed=1)
    missing = np.mean([np.isnan(values).mean() for values in batch.columns.values()])
    assert 0.01 < missing < 0.03
