"""What rules and models are worth on simulated fleets that nobody has tuned them on: ``vsc bench detection``.

Units are simulated and judged in processes of their own. What is finished is kept in a file, a line each, so that a
run that was stopped goes on where it was, and can be summed up at any time.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.detection_plan import Unit
from benchmarks.detection_run import Judged, code_of, key_of, run

Tell = Callable[[str], None]
_DECODER: Final = msgspec.json.Decoder(Judged)


def judged_units(
    units: Sequence[Unit], file: Path, processes: int, tell: Tell, keep: Path | None = None
) -> list[Judged]:
    """What became of all units: those in the file that this very code has judged, and the others judged now."""
    code = code_of()
    known = read(file)
    keys = {key_of(unit, code): unit for unit in units}
    done = [known[key] for key in keys if key in known]
    due = [unit for key, unit in keys.items() if key not in known]
    if done:
        tell(f"{len(done)} of {len(units)} were judged before")
    for judged in _told(_judged(due, code, processes, keep), due, tell):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as lines:
            lines.write(msgspec.json.encode(judged) + b"\n")
        done.append(judged)
    return done


def finished(units: Sequence[Unit], file: Path) -> list[Judged]:
    """Those of the units that the file holds."""
    known, code = read(file), code_of()
    return [known[key] for unit in units if (key := key_of(unit, code)) in known]


def read(file: Path) -> Mapping[str, Judged]:
    """The results in a file by their keys; a line that a kill has cut short counts as none."""
    found: dict[str, Judged] = {}
    if file.is_file():
        with file.open("rb") as lines:
            for line in lines:
                try:
                    judged = _DECODER.decode(line)
                except msgspec.DecodeError:
                    continue
                found[judged.key] = judged
    return found


def _judged(units: Sequence[Unit], code: str, processes: int, keep: Path | None) -> Iterator[Judged]:
    if processes == 1:
        yield from (run(unit, code, keep) for unit in units)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        # The longest first, so that none is left to one process in the end.
        ordered = sorted(units, key=lambda unit: -unit.vehicle_days)
        futures: list[Future[Judged]] = [pool.submit(run, unit, code, keep) for unit in ordered]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _told(judged: Iterable[Judged], units: Sequence[Unit], tell: Tell) -> Iterator[Judged]:
    """Each result, told of with how long the others will take."""
    begin, lived, total = time.monotonic(), 0, sum(unit.vehicle_days for unit in units)
    for number, one in enumerate(judged, start=1):
        lived += one.unit.vehicle_days
        spent = time.monotonic() - begin
        left = timedelta(seconds=round(spent / lived * (total - lived)))
        rate = one.unit.vehicle_days / one.seconds if one.seconds else 0.0
        tell(
            f"{number} of {len(units)}, {one.unit.name}: {one.unit.vehicle_days:,} vehicle-days, "
            f"{rate:.0f} a second of one core, {len(one.fires)} fires; {left} left"
        )
        yield one
