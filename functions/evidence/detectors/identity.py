"""What identifies a person on paper: US social security numbers and dates of birth."""

from functions.evidence.detectors.context import continues_number, digits_in, stands_alone
from functions.evidence.detectors.engine import Detector

# A date alone is everywhere in telemetry; only a word before it makes it somebody's birthday.
_BIRTH = r"(?i:date[ _-]?of[ _-]?birth|birth[ _-]?(?:date|day)|born(?:[ _](?:on|at))?|dob|d\.o\.b\.?)"
_BETWEEN = r"""(?i:["'\\=:, (\[>-]|%3a|%20|\bis\b|\bwas\b|\bon\b)*"""
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = (
    r"(?:[0-9][0-9]?[0-9]?[0-9]?[-/.][0-9][0-9]?[-/.][0-9][0-9][0-9]?[0-9]?"
    rf"|[0-9][0-9]?(?:st|nd|rd|th)?[ .-]+{_MONTH}[ ,-]+[0-9][0-9][0-9]?[0-9]?"
    rf"|{_MONTH} [0-9][0-9]?(?:st|nd|rd|th)?,? [0-9][0-9][0-9][0-9]"
    r"|(?:19|20)[0-9][0-9][01][0-9][0-3][0-9])"
)


def _accept_ssn(text: bytes, start: int, end: int) -> int | None:
    """Refuse areas, groups and serials never issued (ssa.gov, "SSN Randomization", 2011)."""
    number = digits_in(text[start:end])
    if number[:3] in {b"000", b"666"} or number[3:5] == b"00" or number[5:] == b"0000":
        return None
    if continues_number(text, start, end, b" -.") or not stands_alone(text, start, end):
        return None
    return end


IDENTITY_DETECTORS = (
    Detector(
        "us_ssn",
        r"[0-9]{3}(?:-[0-9]{2}-| [0-9]{2} |\.[0-9]{2}\.)[0-9]{4}",
        "078-05-1120",
        _accept_ssn,
        nested=True,
    ),
    Detector("date_of_birth", rf"{_BIRTH}{_BETWEEN}({_DATE})", "date of birth: 1987-05-23"),
)
