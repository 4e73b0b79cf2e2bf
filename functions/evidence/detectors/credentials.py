"""What opens a door: tokens, keys, passwords in URLs and headers."""

import base64
import binascii
import math
from collections import Counter

from functions.evidence.detectors.engine import Accept, Detector

# Group 1 follows: nothing that could make the match the tail of a longer word.
_START = r"(?:^|[^A-Za-z0-9])"


# A word that says that a secret follows, and what may stand between them in prose, code, JSON and YAML.
_CUE = (
    r"(?i:pass(?:word|wd|phrase|code)|secret(?:[_-]?key)?|api[_ -]?key|access[_ -]?(?:key|token)"
    r"|auth[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key|credential|pwd|token)"
    r"""(?:["'\\\s]*(?:[:=]+>?|\b(?i:is|was)\b)["'\\\s]*)"""
)


def _at_least(length: int) -> Accept:
    """Accept candidates of `length` bytes or more with a digit in them: words of that length have none."""

    def accept(text: bytes, start: int, end: int) -> int | None:
        candidate = text[start:end]
        return end if len(candidate) >= length and any(48 <= byte <= 57 for byte in candidate) else None

    return accept


def _accept_basic(text: bytes, start: int, end: int) -> int | None:
    """Ask for what RFC 7617 sends: base64 of user:password."""
    token = text[start:end].rstrip(b"=")
    try:
        decoded = base64.b64decode(token + b"=" * (-len(token) % 4), validate=True)
    except binascii.Error:
        return None
    return end if b":" in decoded else None


def _accept_account_key(_text: bytes, start: int, end: int) -> int | None:
    """A storage account key is 64 bytes: 88 base64 characters, two of them padding."""
    return end if end - start == 88 else None


def _accept_secret(text: bytes, start: int, end: int) -> int | None:
    """Ask for what a person would not have written as a word: long, uneven, of several kinds of character."""
    candidate = text[start:end]
    kinds = sum(
        any(lowest <= byte <= highest for byte in candidate)
        for lowest, highest in ((48, 57), (65, 90), (97, 122), (33, 47))
    )
    return end if len(candidate) >= 8 and kinds >= 2 and _entropy(candidate) >= 2.5 else None


def _entropy(candidate: bytes) -> float:
    """Return Shannon's entropy in bits a character."""
    shares = [count / len(candidate) for count in Counter(candidate).values()]
    return -sum(share * math.log2(share) for share in shares)


CREDENTIAL_DETECTORS = (
    Detector(
        "jwt",
        r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        _at_least(24),
    ),
    Detector(
        "authorization",
        r"(?i:bearer)(?:[ :=+]|%20)+([A-Za-z0-9._~+/=-]+)",
        "Authorization: Bearer 0123456789abcdef",
        _at_least(12),
    ),
    Detector(
        "authorization",
        r"(?i:basic)(?:[ :=+]|%20)+([A-Za-z0-9+/]+=*)",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        _accept_basic,
    ),
    Detector("account_key", r"[A-Za-z0-9+/]+==", "A" * 86 + "==", _accept_account_key),
    Detector(
        "account_key",
        r"(?i:accountkey|sharedaccesskey|sharedaccesssignature|primarykey|instrumentationkey)=([^;&\s\"'<>]+)",
        "AccountKey=abc",
    ),
    Detector(
        "aws_key",
        rf"{_START}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}})",
        "AKIAIOSFODNN7EXAMPLE",
    ),
    Detector(
        "aws_key",
        r"(?i:aws_?secret_?(?:access_?)?key)[\"' ]*[=:][\"' ]*([A-Za-z0-9/+]+)",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    Detector("gcp_key", rf"{_START}(AIza[A-Za-z0-9_-]+)", "AIza" + "a1_-" * 9 + "abc", _at_least(39)),
    Detector("gcp_key", r"(GOCSPX-[A-Za-z0-9_-]+)", "GOCSPX-" + "a1" * 14, _at_least(30)),
    Detector(
        "slack_token",
        rf"{_START}(xox[abcdeprs]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+)",
        "xoxb-" + "1a" * 12,
        _at_least(20),
    ),
    Detector(
        "slack_token",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]+)",
        "https://hooks.slack.com/services/T00000000/B00000000/" + "a1" * 12,
    ),
    Detector("github_token", r"gh[pousr]_[A-Za-z0-9]+", "ghp_" + "a1" * 18, _at_least(24)),
    Detector("github_token", r"github_pat_[A-Za-z0-9_]+", "github_pat_" + "a1" * 20, _at_least(30)),
    Detector("openai_key", rf"{_START}(sk-[A-Za-z0-9_-]+)", "sk-proj-" + "a1" * 12, _at_least(20)),
    Detector("url_credential", r"[A-Za-z][A-Za-z0-9+.-]*://([^/\s:@\"'<>]*:[^/\s@\"'<>]+)@", "amqp://u:p@h"),
    Detector(
        "url_credential",
        r"(?i:[?&;](?:sig|signature|code|token|access[_-]?token|id[_-]?token|api[_-]?key|subscription-key|key"
        r"|client[_-]?secret|secret|password|passwd|pwd)=)([^&\s\"'<>]+)",
        "https://example.com/hook?sig=abc",
    ),
    Detector(
        "private_key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=:,\s-]|\\[nr])*",
        "-----BEGIN PRIVATE KEY-----\nMIIB",
    ),
    Detector(
        "secret",
        rf"{_CUE}([A-Za-z0-9+/_.~!@#$%^*-]+=*)",
        "client_secret: q7Xz9LmP2vR8sT4w",
        _accept_secret,
    ),
)
