"""Diagnostic trouble codes: SAE J2012 codes or a maker's alert names, with their ISO 14229-1 status bits."""

import re
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from vehicle.rejection import Rejection, RejectionReason

_J2012: Final = re.compile(r"[PCBU][0-3][0-9A-F]{3}(-?[0-9A-F]{2})?", re.ASCII)
_VENDOR: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,15}_[A-Za-z0-9_]{1,48}", re.ASCII)


class DtcStatus(IntFlag):
    """The status byte of a trouble code, ISO 14229-1 annex D.2."""

    TEST_FAILED = 0x01
    TEST_FAILED_THIS_OPERATION_CYCLE = 0x02
    PENDING = 0x04
    CONFIRMED = 0x08
    TEST_NOT_COMPLETED_SINCE_LAST_CLEAR = 0x10
    TEST_FAILED_SINCE_LAST_CLEAR = 0x20
    TEST_NOT_COMPLETED_THIS_OPERATION_CYCLE = 0x40
    WARNING_INDICATOR_REQUESTED = 0x80


@dataclass(frozen=True, slots=True)
class DiagnosticTroubleCode:
    """One code a control unit reports, with what it says about the test behind it."""

    code: str
    """SAE J2012 with or without failure type byte (``P0A1F``, ``P0A1F1A``), or a maker's (``BMS_a070``)."""
    status: DtcStatus

    @property
    def is_standard(self) -> bool:
        """Whether the code has the form of SAE J2012 rather than a maker's."""
        return _J2012.fullmatch(self.code) is not None

    @classmethod
    def parse(cls, code: str, status: int) -> "DiagnosticTroubleCode | Rejection":
        """Read a code and its status byte; the dash before a failure type byte is dropped."""
        if not 0 <= status <= 0xFF:  # noqa: PLR2004 -- one byte
            return Rejection(RejectionReason.WRONG_TYPE, "the status of a trouble code is not one byte")
        if _J2012.fullmatch(code):
            return cls(code.replace("-", ""), DtcStatus(status))
        if _VENDOR.fullmatch(code):
            return cls(code, DtcStatus(status))
        return Rejection(RejectionReason.WRONG_TYPE, "a trouble code has neither J2012's form nor a maker's")
