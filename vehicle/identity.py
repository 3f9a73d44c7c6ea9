"""Who a vehicle is: its VIN (ISO 3779), and the pseudonym that travels instead of it."""

import hmac
import re
from dataclasses import dataclass
from typing import Final

from vehicle.rejection import Rejection, RejectionReason

_VEHICLE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{13}[0-9]{4}", re.ASCII)
_ANY_VIN: Final = re.compile(r"(?<![A-Z0-9])(?=[0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])", re.ASCII | re.IGNORECASE)
_CHECKED_REGIONS: Final = "12345L"
"""First characters whose law asks for a check digit: North America (49 CFR 565.15) and China (GB 16735)."""
_VALUES: Final = {
    **{str(digit): digit for digit in range(10)},
    **{letter: value for row in ("ABCDEFGH", "JKLMN_P_R", "_STUVWXYZ") for value, letter in enumerate(row, 1)},
}
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_vehicle_id(text: str) -> bool:
    """Whether `text` can name a vehicle: 1 to 64 ASCII letters, digits, ``_`` and ``-``."""
    return _VEHICLE_ID.fullmatch(text) is not None


def check_digit(vin: str) -> str:
    """The ninth character that 49 CFR 565.15 asks for, of the other sixteen of `vin`."""
    remainder = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)  # noqa: PLR2004 -- the one remainder without a digit


@dataclass(frozen=True, slots=True)
class Vin:
    """A vehicle identification number, ISO 3779."""

    text: str

    @property
    def wmi(self) -> str:
        """World manufacturer identifier, characters 1 to 3 (ISO 3780)."""
        return self.text[:3]

    @property
    def vds(self) -> str:
        """Vehicle descriptor section, characters 4 to 9."""
        return self.text[3:9]

    @property
    def vis(self) -> str:
        """Vehicle indicator section, characters 10 to 17; the last four are digits."""
        return self.text[9:]

    @classmethod
    def parse(cls, text: str) -> "Vin | Rejection":
        """Read seventeen characters, with a check digit where the law of the maker's region asks for one."""
        if not _VIN.fullmatch(text):
            return Rejection(RejectionReason.WRONG_TYPE, "a VIN is 17 letters and digits without I, O and Q")
        if text[0] in _CHECKED_REGIONS and text[8] != check_digit(text):
            return Rejection(RejectionReason.WRONG_TYPE, "the VIN's ninth character is not its check digit")
        return cls(text)


def without_vins(text: str) -> str:
    """The text with ``[vin]`` in place of whatever looks like one."""
    return _ANY_VIN.sub("[vin]", text)


def pseudonym(vin: Vin, secret: bytes) -> str:
    """The vehicle id that travels in place of `vin`: the first 80 bits of HMAC-SHA256, as 20 hex digits."""
    return hmac.digest(secret, vin.text.encode(), "sha256")[:10].hex()
