"""What a recorded car's file becomes: samples in catalogue names, units and signs.

A recording is dirty: sentinels where a sensor had nothing to say, times twice, odometers at zero. What cannot be a
measurement becomes `not sampled`, and `Recording.remarks` says how much of what was found.

Errors: `RecordingError` for a file that is not what its format says; its text is one line.
"""

import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vehicle.signals import CATALOGUE


class RecordingError(Exception):
    """The file cannot be replayed; the text says why, in one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One car's recorded samples."""

    times: NDArray[np.datetime64]
    """datetime64[us], UTC, shape (n,), strictly increasing."""
    columns: dict[str, NDArray[np.float64]]
    """Per catalogue signal shape (n,) or (n, k); NaN: not sampled."""
    remarks: tuple[str, ...]
    """What was found to be no measurement, a sentence each."""

    @property
    def cell_count(self) -> int | None:
        """How many cell groups it has voltages of."""
        cells = self.columns.get("cell_voltages_v")
        return None if cells is None else int(cells.shape[1])


def read_table(path: Path) -> pd.DataFrame:
    """A file's table (CSV, also in a zip or gzip).

    Raises:
        RecordingError: if it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Rows may end in a comma, which pandas otherwise takes for a name of the row in front of them.
            return pd.read_csv(
                path, low_memory=False, index_col=False, skipinitialspace=True, encoding_errors="replace"
            )
    except FileNotFoundError:
        raise RecordingError(f"there is no file {path}") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, pd.errors.ParserWarning) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecordingError(f"{path.name} cannot be read as a table: {first_line}") from None


def numeric(column: pd.Series) -> NDArray[np.float64]:
    """A column as numbers, NaN where it holds none."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def plausible(
    values: NDArray[np.float64], signal: str, limits: Mapping[str, tuple[float, float]], remarks: list[str]
) -> NDArray[np.float64]:
    """The values that can be measurements, NaN elsewhere; limits not given are the catalogue's."""
    catalogued = CATALOGUE[signal]
    low, high = limits.get(signal, (catalogued.minimum, catalogued.maximum))
    beyond = (values < low) | (values > high)
    if beyond.any():
        remarks.append(f"{signal}: {int(beyond.sum())} values beyond {low:g} to {high:g} taken as not sampled")
    return np.where(beyond, np.nan, values)
