"""What Tesla's fleet-telemetry publishes over MQTT; reading never raises.

Topics are ``<base>/<VIN>/`` and then ``v/<Field>``, ``alerts/<Name>/current``, ``alerts/<Name>/history``,
``errors/<Name>`` or ``connectivity``; payloads are JSON. A field's type depends on the car's firmware: numbers come as
numbers or as strings, enumerations with their type's name before the value. ``null`` is a field that was not valid.

The fields and their units are those of ``vehicle/signals.toml``. Source of the forms: fleet-telemetry's
``datastore/mqtt`` and ``protos/vehicle_data.proto``.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from vehicle.batch import Event, EventKind
from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.foreign import (
    NOTHING,
    ForeignMessage,
    UnusableError,
    finite,
    index,
    measured,
    number,
    plain,
    software_event,
)
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import ATTRIBUTES, CATALOGUE, Signal, SignalKind
from vehicle.software import FIRMWARE

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_SIGNALS: Final = {signal.tesla: signal for signal in CATALOGUE.values() if signal.tesla}
_VERSION: Final = ATTRIBUTES[FIRMWARE].tesla
_PREFIXES: Final = {
    "BMSState": "BMSState",
    "ChargePortLatch": "ChargePortLatch",
    "DetailedChargeState": "DetailedChargeState",
    "DiStateF": "DriveInverterState",
    "DiStateR": "DriveInverterState",
    "Hvil": "HvilStatus",
    "HvacPower": "HvacPowerState",
}
"""What stands before the value of an enumeration, by field."""
_BOOLEANS: Final = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0} | {
    # Of HvilStatus and HvacPowerState: heating or cooling for whatever purpose is air conditioning that runs.
    "OK": 1.0, "Fault": 0.0, "On": 1.0, "Precondition": 1.0, "OverheatProtect": 1.0, "Off": 0.0,
}  # fmt: skip
_UNKNOWN: Final = "Unknown"
"""The value of every enumeration that says nothing."""
_TYRES: Final = ("front_left", "front_right", "rear_left", "rear_right")
_TYRE_WARNINGS: Final = frozenset({"TpmsHardWarnings", "TpmsSoftWarnings"})
_PRIVATE: Final = re.compile(
    r"Location|OriginLocation|DestinationLocation|DestinationName|GpsHeading|GpsState|RouteLine|RouteLastUpdated"
    r"|LocatedAt.*|VehicleName|MediaNowPlaying.*"
)
"""Where the car is, where it goes, and what its driver calls it or listens to: not kept."""
_FIRST_ACTIVE: Final = DtcStatus.TEST_FAILED | DtcStatus.TEST_FAILED_SINCE_LAST_CLEAR

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Alert(msgspec.Struct, rename="pascal"):
    audiences: list[str] | None = None
    started_at: _Moment | None = None
    ended_at: _Moment | None = None


class _Error(msgspec.Struct, rename="pascal"):
    body: str = ""
    created_at: _Moment | None = None
    tags: dict[str, str] | None = None


class _Connectivity(msgspec.Struct, rename="pascal"):
    status: str
    connection_id: str = ""
    created_at: _Moment | None = None


def decode(  # noqa: PLR0911 - one for each form of topic
    path: Sequence[str], payload: bytes, received_at: datetime
) -> ForeignMessage | Rejection:
    """What a message says.

    Args:
        path: The topic's levels after the VIN.
        payload: As it arrived.
        received_at: Takes the place of times that the message lacks.
    """
    try:
        match path:
            case ("v", field) if _NAME.fullmatch(field):
                return _field(field, payload, received_at)
            case ("alerts", name, "current") if _NAME.fullmatch(name):
                return ForeignMessage(events=(_alert(name, _read(payload, _Alert), received_at),))
            case ("alerts", name, "history") if _NAME.fullmatch(name):
                alerts = _read(payload, list[_Alert])
                return ForeignMessage(events=tuple(_alert(name, alert, received_at) for alert in alerts))
            case ("errors", name) if _NAME.fullmatch(name):
                return ForeignMessage(events=(_error(name, _read(payload, _Error), received_at),))
            case ("connectivity",):
                return ForeignMessage(events=(_connectivity(_read(payload, _Connectivity), received_at),))
    except UnusableError as error:
        return error.rejection
    return Rejection(RejectionReason.UNKNOWN_TOPIC, "not a topic of fleet-telemetry")


def _read(payload: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        raise UnusableError(RejectionReason.WRONG_TYPE, str(error)) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UnusableError(RejectionReason.UNREADABLE, str(error)) from None


def _field(name: str, payload: bytes, received_at: datetime) -> ForeignMessage:
    if _PRIVATE.fullmatch(name):
        return NOTHING
    value = _read(payload, Any)
    if name in _TYRE_WARNINGS and isinstance(value, dict):
        # Members that are false are left out, so that all clear is an empty object.
        value = dict.fromkeys(_TYRES, False) | value
    if value is None or value in ("", {}):
        return NOTHING
    if name == _VERSION:
        return ForeignMessage(events=(software_event(value, received_at),))
    signal = _SIGNALS.get(name)
    if signal is None:
        return ForeignMessage(extra={name: plain(value)})
    ours = _value(signal, name, value)
    return NOTHING if ours is None else ForeignMessage(values={signal.name: ours})


def _value(signal: Signal, name: str, value: Any) -> float | None:
    """The value as ours; None if it says that there is none."""
    if isinstance(value, str):
        value = value.removeprefix(_PREFIXES.get(name, ""))
        if value == _UNKNOWN:
            return None
    match signal.kind:
        case SignalKind.BOOLEAN:
            return _boolean(signal, value)
        case SignalKind.ENUMERATION if isinstance(value, str):
            return index(signal, value)
        case SignalKind.NUMBER | SignalKind.INTEGER if isinstance(value, str):
            return measured(signal, _time_or_number(signal, value), signal.tesla_factor)
        case SignalKind.NUMBER | SignalKind.INTEGER if isinstance(value, int | float) and not isinstance(value, bool):
            return measured(signal, finite(value), signal.tesla_factor)
    raise UnusableError(RejectionReason.WRONG_TYPE, f"{signal.name}: a {type(value).__name__}")


def _boolean(signal: Signal, value: Any) -> float:
    if isinstance(value, bool) or value in (0, 1):
        return float(value)
    if isinstance(value, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    raise UnusableError(RejectionReason.WRONG_TYPE, f"{signal.name}: neither true nor false")


def _time_or_number(signal: Signal, text: str) -> float:
    """A number; where ours are seconds since 1970, also a time in the form of RFC 3339."""
    if signal.name.endswith("_ts") and "T" in text:
        try:
            return msgspec.convert(text, _Moment).timestamp()
        except msgspec.ValidationError:
            raise UnusableError(RejectionReason.WRONG_TYPE, f"{signal.name}: not a time") from None
    return number(text)


def _alert(name: str, alert: _Alert, received_at: datetime) -> Event:
    """An alert began, or ended: it is active while it has no end."""
    status = DtcStatus.TEST_FAILED_SINCE_LAST_CLEAR if alert.ended_at else _FIRST_ACTIVE
    code = DiagnosticTroubleCode.parse(name, status)
    details = {
        "name": name,
        "audiences": alert.audiences or [],
        "started_at": alert.started_at and alert.started_at.isoformat(),
        "ended_at": alert.ended_at and alert.ended_at.isoformat(),
    }
    at = alert.ended_at or alert.started_at
    if isinstance(code, Rejection):
        return Event(at or received_at, EventKind.ALERT, None, plain(details), time_received=at is None)
    return Event(at or received_at, EventKind.TROUBLE_CODE, code, plain(details), time_received=at is None)


def _error(name: str, error: _Error, received_at: datetime) -> Event:
    details = plain({"name": name, "body": error.body, "tags": error.tags or {}})
    at = error.created_at
    return Event(at or received_at, EventKind.ERROR, None, details, time_received=at is None)


def _connectivity(told: _Connectivity, received_at: datetime) -> Event:
    details = plain({"status": told.status, "connection_id": told.connection_id})
    at = told.created_at
    return Event(at or received_at, EventKind.CONNECTIVITY, None, details, time_received=at is None)
