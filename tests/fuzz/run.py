"""``make fuzz``: every decoder of outside bytes under a coverage-guided fuzzer, the time split evenly among them.

Prints one table. Exit code 1 if anything raised, hung, or grew; the input that did it is kept and can be given to the
decoder again: ``python -m tests.fuzz.one NAME FILE``.
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config.settings import CHECKOUT
from tests.fuzz.mutation import WORDS
from tests.fuzz.targets import TARGETS
from vehicle.codec import MAX_PAYLOAD_BYTES

KEPT: Final = CHECKOUT / "var" / "fuzz"
"""Where inputs that fail are kept."""
MOST_S_AN_INPUT: Final = 5
MOST_MIB: Final = 1024
MOST_BYTES: Final = MAX_PAYLOAD_BYTES + 1024
MOST_GROWTH_BYTES: Final = 8 * 2**20
"""A heap that breathes stays below; a decoder that keeps a byte of each input does not."""
_DONE: Final = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/.*?rss: (\d+)Mb", re.MULTILINE)
_COLUMNS: Final = (
    "decoder",
    "inputs",
    "cov",
    "features",
    "corpus",
    "seconds",
    "fuzz MiB",
    "RSS MiB",
    "growth",
    "failed",
)


@dataclass(frozen=True)
class Result:
    """What came of one decoder."""

    name: str
    inputs: int = 0
    coverage: int = 0
    features: int = 0
    corpus: int = 0
    seconds: float = 0.0
    fuzzer_mib: int = 0
    rss_bytes: int = 0
    growth_bytes: int = 0
    failure: str = ""

    def row(self) -> list[str]:
        """As the table shows it."""
        return [
            self.name,
            f"{self.inputs:,}",
            str(self.coverage),
            str(self.features),
            str(self.corpus),
            f"{self.seconds:.0f}",
            str(self.fuzzer_mib),
            f"{self.rss_bytes / 2**20:.1f}",
            f"{self.growth_bytes / 2**10:+.0f} KiB",
            self.failure or "-",
        ]


def fuzz(name: str, seconds: int, folder: Path) -> Result:
    """Fuzz one decoder, then see whether its memory grows."""
    corpus = folder / name
    corpus.mkdir()
    for number, data in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number:03}").write_bytes(data)
    began = time.monotonic()
    process = _run(
        "tests.fuzz.one",
        name,
        str(corpus),
        f"-dict={_dictionary(folder / f'{name}.dict')}",
        f"-max_total_time={seconds}",
        f"-timeout={MOST_S_AN_INPUT}",
        f"-rss_limit_mb={MOST_MIB}",
        f"-max_len={MOST_BYTES}",
        f"-artifact_prefix={KEPT}/{name}-",
        "-reload=0",
    )
    found = _DONE.findall(process.stderr)
    inputs, coverage, features, grown, fuzzer_mib = map(int, found[-1]) if found else (0,) * 5
    lasted = time.monotonic() - began
    failure = _failure(process) if process.returncode or not found else ""
    if not failure:
        memory, failure = _memory(name, corpus)
    else:
        memory = {}
        (KEPT / f"{name}.log").write_text(process.stdout + process.stderr)
    before, after = memory.get("before", 0), memory.get("after", 0)
    growth = after - before
    if growth > MOST_GROWTH_BYTES:
        failure = "memory grows"
    return Result(name, inputs, coverage, features, grown, lasted, fuzzer_mib, after, growth, failure)


def _memory(name: str, corpus: Path) -> tuple[dict[str, Any], str]:
    process = _run("tests.fuzz.memory", name, str(corpus))
    return (json.loads(process.stdout), "") if process.returncode == 0 else ({}, _failure(process))


def _failure(process: subprocess.CompletedProcess[str]) -> str:
    """The line that says most: the exception, else libFuzzer's verdict."""
    text = process.stdout + process.stderr
    found = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt).*$|^SUMMARY: .*$", text, re.MULTILINE)
    return found[0][:100] if found else f"exit code {process.returncode}"


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def _dictionary(file: Path) -> Path:
    """Words that libFuzzer strews into what it writes."""
    words = [*WORDS, "1e400", "NaN", "-Infinity", "null", "\\xc1", "\\x00", "\\xc7"]
    file.write_text("".join(f'"{word}"\n' for word in words))
    return file


def table(results: Sequence[Result]) -> Iterator[str]:
    """One line a decoder."""
    rows = [list(_COLUMNS), *(result.row() for result in results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if place in {0, 9} else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def main() -> int:
    """Fuzz every decoder; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for all decoders together")
    parser.add_argument("names", nargs="*", choices=[*TARGETS, []], help="decoders; default: all")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("There is no atheris for this Python: 3.11 to 3.13 have one.\n")
        return 1
    names = arguments.names or list(TARGETS)
    workers = min(os.cpu_count() or 1, len(names))
    each_s = max(1, round(arguments.seconds * workers / len(names)))
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(lambda name: fuzz(name, each_s, Path(folder)), names))
    failed = [result.name for result in results if result.failure]
    sys.stdout.write("\n".join(table(results)) + "\n")
    if failed:
        sys.stdout.write(f"Failed: {', '.join(failed)}. The inputs are in {KEPT}.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
