"""Every setting of the product: the only module that reads the environment.

Each field is set by an environment variable with the prefix ``VSC_``, e.g. ``VSC_STATE_DIR``; durations are ISO 8601
(``P30D``, ``PT10M``). ``docs/configuration.md`` is generated from this table.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[1]
SHIPPED_RULES = CHECKOUT / "rules" / "catalogue"
"""The folder of the rules that the product ships."""
QUARANTINE_LIMIT = 2**30
"""Bytes of payloads that quarantine may hold, unless the settings say otherwise."""


_TOPIC = r"^([^+#$/\s][^+#\s]*[^+#/\s]|[^+#$/\s])?$"
"""The beginning of an MQTT topic, without wildcards and without a slash at either end."""


class ConfigurationError(Exception):
    """The settings cannot be used; the message names every mistake, one per line."""


class Settings(BaseSettings):
    """One process's settings; addresses left empty are those of the local stack."""

    model_config = SettingsConfigDict(env_prefix="VSC_", frozen=True, extra="ignore")

    state_dir: Path | None = Field(
        default=None, description="Where the local stack keeps its data; default: var/ in the checkout."
    )
    database_url: str | None = Field(default=None, description="PostgreSQL address; default: the local stack's.")
    mqtt_host: str | None = Field(default=None, description="Broker host; default: the local stack's.")
    mqtt_port: int = Field(default=1883, ge=1, le=65535, description="Broker port, used when VSC_MQTT_HOST is set.")
    desk_url: str | None = Field(
        default=None, description="Base address of the booking desk; default: the local stack's."
    )
    console_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the engineers' pages; 0 takes a free one."
    )
    desk_port: int = Field(default=0, ge=0, le=65535, description="Port of the local booking desk; 0 takes a free one.")
    ingest_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of ingest's metrics and probes, of the first shard: each other one's is its number higher; "
        "0 takes free ones.",
    )
    clock: Literal["wall", "data"] = Field(
        default="data",
        description="wall: the machine's time; data: driven by the senders' time, for simulated and recorded fleets.",
    )
    late_limit: timedelta = Field(
        default=timedelta(days=30), description="Samples older than this are kept in quarantine, not stored."
    )
    future_limit: timedelta = Field(
        default=timedelta(minutes=10), description="How far a sample may lie ahead of the clock."
    )
    quarantine_limit: int = Field(
        default=QUARANTINE_LIMIT,
        ge=0,
        description="Bytes of payloads that quarantine may hold; when it is full, what cannot be stored gets no "
        "stored-ack, and its car keeps it.",
    )
    tesla_topic_base: str = Field(
        default="telemetry",
        pattern=_TOPIC,
        description="`topic_base` under which Tesla's fleet-telemetry publishes; empty: such cars are not served.",
    )
    ovms_topic_prefix: str = Field(
        default="ovms",
        pattern=_TOPIC,
        description="What stands before user and vehicle in the topics of OVMS modules; empty: they are not served.",
    )
    rules: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default=SHIPPED_RULES,
        description="Folder of the rule files that everything judges by; one of your own stands in place of the "
        "shipped one, for all processes of a database. Changes are followed.",
    )
    resend_after: timedelta = Field(
        default=timedelta(seconds=60), description="A car resends a batch without stored-ack after this time."
    )
    gap_ask_after: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        description="A car is asked for batches that have been missing for this long, then again after pauses that "
        "double.",
    )
    gap_longest_pause: timedelta = Field(
        default=timedelta(hours=1),
        gt=timedelta(0),
        description="Longest pause between two requests to a car for the same missing batches.",
    )
    gap_heard_within: timedelta = Field(
        default=timedelta(minutes=10),
        description="A car is asked for missing batches only if it was heard within this time.",
    )
    ingest_window: timedelta = Field(
        default=timedelta(milliseconds=200), description="Ingest commits at least this often."
    )
    ingest_one_cpu: bool = Field(
        default=True,
        description="Keep each ingest process on one CPU, neighbouring shards on different ones: its threads take "
        "turns, which costs less there. Say `false` where something else needs that CPU.",
    )
    diagnose_every: timedelta = Field(
        default=timedelta(minutes=1), description="How often the fleet is diagnosed under `vsc up`."
    )
    push_every: timedelta = Field(
        default=timedelta(seconds=30), description="How often tickets are pushed under `vsc up`."
    )
    recordings: Path = Field(
        default=CHECKOUT.parent / "shared" / "data", description="Folder of recorded drives for tests."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that services write."
    )


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: with one line per wrong variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"VSC_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None
