"""What OVMS modules of version 3 publish over MQTT; reading never raises.

Topics are ``<prefix>/<user>/<vehicleid>/`` and then ``metric/<name with slashes>``, ``notify/<type>/<sub/type>``,
``notify/data/<sub/type>/<id>/<-age in seconds>`` or ``event``; payloads are plain text without units: numbers, ``yes``
and ``no``, lists with commas. A metric that has no value is empty. Currents and power are positive out of the battery.

The metrics and their factors are those of ``vehicle/signals.toml``. Source of the forms: OVMS's ``ovms_server_v3`` and
its user guide ("Metrics", "Notifications", "Events").
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vehicle.batch import Event, EventKind
from vehicle.foreign import NOTHING, ForeignMessage, UnusableError, index, measured, number, plain, software_event
from vehicle.rejection import Rejection, RejectionReason
from vehicle.signals import ATTRIBUTES, CATALOGUE, Signal, SignalKind
from vehicle.software import FIRMWARE

_LEVEL: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_MOST_ELEMENTS: Final = 1000
"""Cells of one battery; a module that lists more is broken."""
_SIGNALS: Final = {signal.ovms: signal for signal in CATALOGUE.values() if signal.ovms}
"""By metric, with its index where the metric is a list of unlike parts."""
_WHEELS: Final = 4
_WHEEL_METRICS: Final = frozenset(name.partition("[")[0] for name in _SIGNALS if "[" in name)
_BOOLEANS: Final = {"yes": 1.0, "no": 0.0}
_CHARGE_STATES: Final = {
    "charging": "Charging",
    "topoff": "Charging",
    "heating": "Charging",  # the battery is heated from the plug before or while it charges
    "done": "Complete",
    "prepare": "Starting",
    "timerwait": "Stopped",
    "stopped": "Stopped",
}
"""Words of ``v.c.state`` as ours."""
_VERSION: Final = ATTRIBUTES[FIRMWARE].ovms
_SERVICE_TIME: Final = "v.e.serv.time"
_CONNECTED: Final = "s.v3.connected"
_PRIVATE: Final = ("v.vin", "v.p.latitude", "v.p.longitude", "v.p.location", "v.p.valet.", "m.serial", "m.net.")
"""Metrics that begin so tell who or where somebody is: not kept."""
_KINDS: Final = {"alert": EventKind.ALERT, "error": EventKind.ERROR, "info": EventKind.NOTICE}
_EVENTS: Final = {
    "vehicle.on": EventKind.DRIVE_START,
    "vehicle.off": EventKind.DRIVE_STOP,
    "vehicle.charge.start": EventKind.CHARGE_START,
    "vehicle.charge.stop": EventKind.CHARGE_STOP,
}
"""Of the module's inner events those that a car of ours would tell."""


def decode(  # noqa: PLR0911 - one for each form of topic
    path: Sequence[str], payload: bytes, received_at: datetime
) -> ForeignMessage | Rejection:
    """What a message says.

    Args:
        path: The topic's levels after the vehicle's id.
        payload: As it arrived.
        received_at: When; the protocol gives no times.
    """
    if not all(map(_LEVEL.fullmatch, path)):
        return Rejection(RejectionReason.UNKNOWN_TOPIC, "not a topic of OVMS")
    try:
        match path:
            case ("metric", *levels) if levels:
                return _metric(".".join(levels), _text(payload), received_at)
            case ("notify", "data", *levels) if levels:
                return _of_event(_record(levels, _text(payload), received_at))
            case ("notify", "alert" | "error" | "info" as kind, *levels) if levels:
                details = {"type": kind, "subtype": ".".join(levels), "text": _text(payload)}
                return _of_event(_event(_KINDS[kind], details, received_at))
            case ("event",):
                name = _text(payload)
                if name not in _EVENTS:
                    return NOTHING
                return _of_event(_event(_EVENTS[name], {"name": name}, received_at))
            case ("event" | "client", *_):
                # The same events once more, and what apps and modules say to each other.
                return NOTHING
    except UnusableError as error:
        return error.rejection
    return Rejection(RejectionReason.UNKNOWN_TOPIC, "not a topic of OVMS")


def _text(payload: bytes) -> str:
    try:
        return payload.decode().strip()
    except UnicodeDecodeError:
        raise UnusableError(RejectionReason.UNREADABLE, "not a text in UTF-8") from None


def _metric(name: str, text: str, received_at: datetime) -> ForeignMessage:
    if text == "" or name.startswith(_PRIVATE):
        return NOTHING
    if name in (_CONNECTED, _VERSION):
        return _of_event(software_event(text, received_at) if name == _VERSION else _connectivity(text, received_at))
    if name in _WHEEL_METRICS and text.count(",") == _WHEELS - 1:
        return _wheels(name, text)
    signal = _SIGNALS.get(name)
    if signal is None:
        return ForeignMessage(extra={name: plain(_plain_value(text))})
    if signal.kind is SignalKind.ARRAY:
        elements = _elements(signal, text)
        return NOTHING if np.isnan(elements).all() else ForeignMessage(values={signal.name: elements})
    return ForeignMessage(values={signal.name: _value(signal, text, received_at)})


def _value(signal: Signal, text: str, received_at: datetime) -> float:
    if signal.kind is SignalKind.BOOLEAN:
        if text not in _BOOLEANS:
            raise UnusableError(RejectionReason.WRONG_TYPE, f"{signal.name}: neither yes nor no")
        return _BOOLEANS[text]
    if signal.kind is SignalKind.ENUMERATION:
        return index(signal, _CHARGE_STATES.get(text, text))
    shown = number(text)
    if signal.ovms == _SERVICE_TIME:
        # The date instead of the time that is left.
        shown = float(round(shown - received_at.timestamp()))
    return measured(signal, shown, signal.ovms_factor)


def _elements(signal: Signal, text: str) -> NDArray[np.float64]:
    if text.count(",") >= _MOST_ELEMENTS:
        raise UnusableError(RejectionReason.TOO_LARGE, f"{signal.name}: more than {_MOST_ELEMENTS} elements")
    parts = (part.strip() for part in text.split(","))
    return np.array([measured(signal, number(part), signal.ovms_factor) if part else np.nan for part in parts])


def _wheels(name: str, text: str) -> ForeignMessage:
    """Front left, front right, rear left, rear right."""
    values = {}
    for place, part in enumerate(text.split(",")):
        signal = _SIGNALS[f"{name}[{place}]"]
        if part.strip():
            values[signal.name] = measured(signal, number(part.strip()), signal.ovms_factor)
    return ForeignMessage(values=values)


def _plain_value(text: str) -> Any:
    """A metric that the catalogue lacks as JSON would have it."""
    if text in _BOOLEANS:
        return text == "yes"
    try:
        numbers = [number(part.strip()) for part in text.split(",", _MOST_ELEMENTS)]
    except UnusableError:
        return text
    return numbers if len(numbers) > 1 else numbers[0]


def _record(levels: Sequence[str], text: str, received_at: datetime) -> Event:
    """A data record; the last two levels of its topic are its number and, negative, its age."""
    details: dict[str, Any] = {"type": "data", "subtype": ".".join(levels), "record": text}
    at = received_at
    match levels:
        case (*subtype, identifier, age) if subtype and re.fullmatch(r"\d{1,18}", identifier, re.ASCII):
            if re.fullmatch(r"-?\d{1,9}", age, re.ASCII):
                details |= {"subtype": ".".join(subtype), "id": int(identifier)}
                at -= timedelta(seconds=abs(int(age)))
    return _event(EventKind.NOTICE, details, at)


def _connectivity(text: str, received_at: datetime) -> Event:
    status = {"yes": "CONNECTED", "no": "DISCONNECTED"}.get(text, "UNKNOWN")
    return _event(EventKind.CONNECTIVITY, {"status": status}, received_at)


def _event(kind: EventKind, details: dict[str, Any], at: datetime) -> Event:
    return Event(at, kind, None, plain(details), time_received=True)


def _of_event(event: Event) -> ForeignMessage:
    return ForeignMessage(events=(event,))
