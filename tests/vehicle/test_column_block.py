"""A block of columns is a mapping like any other."""

import numpy as np
import pytest

from vehicle.column_block import BINARY32, ColumnBlock, joined_scalars

SOC, VOLTAGE = np.array([50.0, np.nan]), np.array([350.0, 351.0])
CELLS = np.array([[3.6, 3.7], [3.6, 3.8]])


def test_a_block_gives_the_columns_it_was_made_of() -> None:
    columns = {"hv_soc_pct": SOC, "cell_voltages_v": CELLS, "hv_voltage_v": VOLTAGE}
    block = ColumnBlock.of(columns, 2)
    assert set(block) == set(columns)
    assert len(block) == 3
    for name, values in columns.items():
        np.testing.assert_array_equal(block[name], values)
    assert ColumnBlock.of(block, 2) is block


def test_no_columns_are_a_block_too() -> None:
    assert dict(ColumnBlock.of({}, 5)) == {}


def test_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        ColumnBlock.of({"hv_soc_pct": SOC}, 2)["hv_voltage_v"]
    assert ColumnBlock.of({"hv_soc_pct": SOC}, 2).get("hv_voltage_v") is None


def test_blocks_are_joined_in_order_however_their_values_are_kept() -> None:
    names = ("hv_soc_pct", "hv_voltage_v")
    single, double = SOC.astype(BINARY32).tobytes(), VOLTAGE.tobytes()
    half = ColumnBlock(names, single, double, {}, 2)
    whole = ColumnBlock.of({"hv_soc_pct": SOC + 1, "hv_voltage_v": VOLTAGE + 1}, 2)
    longer = ColumnBlock.of({"hv_soc_pct": np.array([1.0, 2.0, 3.0]), "hv_voltage_v": np.array([4.0, 5.0, 6.0])}, 3)
    for blocks in ([half, half], [half, whole], [whole, longer, half]):
        expected = np.concatenate([np.array([block[name] for name in names]) for block in blocks], axis=1)
        np.testing.assert_array_equal(joined_scalars(blocks), expected)
