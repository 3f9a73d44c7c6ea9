"""Fuzzes one decoder until libFuzzer's limits end the process.

``python -m tests.fuzz.one NAME CORPUS -max_total_time=N``, or ``NAME FILE`` to give it one input again.

The decoders are imported here for the first time, while atheris watches: only then does it see their branches.
"""

import random
import sys
from typing import Final

import atheris

with atheris.instrument_imports(include=["vehicle", "ingest"]):
    from tests.fuzz.mutation import mutated
    from tests.fuzz.targets import TARGETS


FIRST_ARRAY: Final = 0x90
"""The least byte that MessagePack begins an array with."""


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change the content type now and then, and the message itself."""
    rng = random.Random(seed)

    def flat(payload: bytes) -> bytes:
        return bytes(atheris.Mutate(payload, max_size))

    if not data or rng.random() < 0.2:
        return flat(data)
    # Whole messages begin with the head of a MessagePack array, other inputs with the choice of a content type.
    head = 0 if data[0] >= FIRST_ARRAY else 1
    return (data[:head] + mutated(data[head:], rng, flat))[:max_size]


def main() -> None:
    """Fuzz the target that the arguments name."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
