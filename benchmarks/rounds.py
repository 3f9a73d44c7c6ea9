"""``vsc bench ingest``: rounds in which everything is measured once, so that a slow minute of the machine slows all."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from benchmarks.baselines import drain_with_stock_client, make_stock_session, time_copy
from benchmarks.cars import SIGNALS, first_sample_at, vehicle_ids
from benchmarks.drain import Backlog, Drain, drain, drain_and_copy, make_backlog, make_ingest_session
from benchmarks.latency import Latency, Load, measure_latency
from benchmarks.machine import machine_and_servers
from benchmarks.site import Site
from benchmarks.stages import Profile, read_profile
from vsc.runtime.locate import Binaries
from vsc.runtime.progress import Report

SAMPLES: Final = 20
"""In each message of the batch backlog."""
CARS: Final = 50
BACKLOGS: Final = ("batch", "single")
"""Of twenty samples a message, and of one."""
_BATCH_SEED, _SINGLE_SEED = 1, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    rounds: int
    messages: int
    """In each backlog."""
    latency_s: float
    """How long publish -> stored is watched at half the limit; 0: not at all."""
    profiles: tuple[str, ...] = ()
    """Of `BACKLOGS`, those to drain once more under the sampler."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What every round stores."""

    batch: Backlog
    single: Backlog
    rows: bytes
    """The batch backlog, in COPY's binary format."""
    chunk_at: datetime
    """A time in the chunk that holds them."""


@dataclass(slots=True)
class Rounds:
    """What was measured, a value a round."""

    copy_rows_s: list[float] = field(default_factory=list)
    copy_logged_rows_s: list[float] = field(default_factory=list)
    paho_msgs_s: list[float] = field(default_factory=list)
    paho_cpu_us_per_msg: list[float] = field(default_factory=list)
    singles: list[Drain] = field(default_factory=list)
    batches: list[Drain] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The rounds, and the latency at half the limit that they gave."""

    plan: Plan
    rounds: Rounds
    latency: Latency | None
    profiles: dict[str, Profile]
    machine: dict[str, Any]

    def figures(self) -> dict[str, Any]:
        """Medians of the rounds by the names of ``--json``, and all that they rest on."""
        each = self.per_round()
        medians = {name: statistics.median(values) for name, values in each.items()}
        drains = [*self.rounds.singles, *self.rounds.batches]
        return {
            **medians,
            "rss_mb_max": max(each["rss_mb_max"]),
            "lost": sum(d.audit.lost + d.audit.foreign + d.audit.quarantined + d.unacked for d in drains)
            + (self.latency.lost if self.latency else 0),
            "duplicated": sum(d.audit.duplicated for d in drains) + (self.latency.duplicated if self.latency else 0),
            **({f"latency_{name}": value for name, value in asdict(self.latency).items()} if self.latency else {}),
            "rounds": self.plan.rounds,
            "messages": self.plan.messages,
            "samples_per_message": SAMPLES,
            "vehicles": CARS,
            "signals": len(SIGNALS),
            "per_round": each,
            **{f"profile_{name}": asdict(profile) for name, profile in self.profiles.items()},
            "machine": self.machine,
        }

    def per_round(self) -> dict[str, list[float]]:
        """Every figure that has a value a round; ratios are of the same round."""
        batches, singles = self.rounds.batches, self.rounds.singles
        rows_s = [d.rows / d.seconds for d in batches]
        msgs_s = [d.messages / d.seconds for d in singles]
        return {
            "copy_rows_s": self.rounds.copy_rows_s,
            "copy_logged_rows_s": self.rounds.copy_logged_rows_s,
            "paho_msgs_s": self.rounds.paho_msgs_s,
            "paho_cpu_us_per_msg": self.rounds.paho_cpu_us_per_msg,
            "single_msgs_s": msgs_s,
            "single_cpu_us_per_row": [d.cpu_s / d.rows * 1e6 for d in singles],
            "batch_rows_s": rows_s,
            "ingest_cpu_us_per_row": [d.cpu_s / d.rows * 1e6 for d in batches],
            "single_per_paho": _ratios(msgs_s, self.rounds.paho_msgs_s),
            "batch_per_copy": _ratios(rows_s, self.rounds.copy_rows_s),
            "batch_per_copy_logged": _ratios(rows_s, self.rounds.copy_logged_rows_s),
            "rss_mb_max": [max(s.rss_mb_max, b.rss_mb_max) for s, b in zip(singles, batches, strict=True)],
            "rss_mb_at_25_pct": [d.rss_mb_quarter for d in batches],
            "rss_mb_at_100_pct": [d.rss_mb_end for d in batches],
        }


def measure(binaries: Binaries, plan: Plan, present: datetime, report: Report) -> Measurement:
    """Measure on servers of our own, which go when it is done."""
    ids = vehicle_ids(CARS)
    start = first_sample_at(present)
    report("Making the cars' data", 0)
    batch = make_backlog(ids, SAMPLES, plan.messages, start, _BATCH_SEED)
    single = make_backlog(ids, 1, plan.messages, start, _SINGLE_SEED)
    rounds = Rounds()
    latency = None
    backlogs = dict(zip(BACKLOGS, (batch, single), strict=True))
    with Site(binaries, ids, present) as site:
        report("Warming up", 0)
        make_ingest_session(site, single.messages[0])
        make_stock_session(site)
        inputs = _Inputs(batch, single, drain_and_copy(site, batch)[1], start)
        for number in range(1, plan.rounds + 1):
            report(f"Round {number} of {plan.rounds}", (number - 1) / plan.rounds)
            _measure_round(site, rounds, inputs)
        if plan.latency_s:
            limit = statistics.median(d.rows / d.seconds for d in rounds.batches)
            report(f"Half the limit for {plan.latency_s:.0f} s", 0)
            latency = measure_latency(site, Load(ids, SAMPLES, limit / 2, plan.latency_s), start)
        profiles = {name: _profile(site, name, backlogs[name], report) for name in plan.profiles}
    return Measurement(plan, rounds, latency, profiles, machine_and_servers(binaries))


def _measure_round(site: Site, rounds: Rounds, inputs: _Inputs) -> None:
    batch, single, rows = inputs.batch, inputs.single, inputs.rows
    with site.fresh_database() as database_url:
        rounds.copy_rows_s.append(batch.rows / time_copy(database_url, rows))
    with site.fresh_database() as database_url:
        rounds.copy_logged_rows_s.append(batch.rows / time_copy(database_url, rows, chunk_at=inputs.chunk_at))
    stock = drain_with_stock_client(site, single.messages)
    rounds.paho_msgs_s.append(stock.messages / stock.seconds)
    rounds.paho_cpu_us_per_msg.append(stock.cpu_s / stock.messages * 1e6)
    rounds.singles.append(drain(site, single))
    rounds.batches.append(drain(site, batch))


def _profile(site: Site, name: str, backlog: Backlog, report: Report) -> Profile:
    report(f"Profile: {name}", 0)
    file = site.folder / f"{name}.profile"
    drain(site, backlog, file)
    return read_profile(file, backlog.rows)


def _ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(over, under, strict=True)]
