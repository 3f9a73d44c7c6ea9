"""Trouble codes are read in the forms of SAE J2012 and of makers, anything else is rejected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.codes import DiagnosticTroubleCode, DtcStatus
from vehicle.rejection import Rejection


@pytest.mark.parametrize(
    ("text", "code", "is_standard"),
    [
        ("P0A1F", "P0A1F", True),
        ("U0100", "U0100", True),
        ("C1234FF", "C1234FF", True),
        ("B1A00-1A", "B1A001A", True),
        ("BMS_a070", "BMS_a070", False),
        ("VCFRONT_a478_LVBMS_MOSFET_Open", "VCFRONT_a478_LVBMS_MOSFET_Open", False),
    ],
)
def test_both_forms_are_read(text: str, code: str, is_standard: bool) -> None:  # noqa: FBT001 - a parameter
    parsed = DiagnosticTroubleCode.parse(text, 0x8C)
    assert isinstance(parsed, DiagnosticTroubleCode)
    assert (parsed.code, parsed.is_standard) == (code, is_standard)
    assert parsed.status == DtcStatus.WARNING_INDICATOR_REQUESTED | DtcStatus.CONFIRMED | DtcStatus.PENDING


@pytest.mark.parametrize(
    "text",
    ["", "P4000", "p0A1F", "X0100", "P0A1", "P0A1F1", "P0A1F1A\n", "P\u0660A1F", "BMS_", "_a070", "A_" + "x" * 49],
)
def test_other_texts_are_rejected(text: str) -> None:
    assert isinstance(DiagnosticTroubleCode.parse(text, 0), Rejection)


@pytest.mark.parametrize("status", [-1, 256, 2**63])
def test_a_status_is_one_byte(status: int) -> None:
    assert isinstance(DiagnosticTroubleCode.parse("P0A1F", status), Rejection)


@given(st.text(), st.integers())
def test_reading_never_raises(text: str, status: int) -> None:
    assert isinstance(DiagnosticTroubleCode.parse(text, status), DiagnosticTroubleCode | Rejection)
