import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detector, Detectors, Hit, standard_detectors

DETECTORS = standard_detectors()

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiAiMjczNzM0MTk1NiJ9.TzKvZFHHi98pMaShkw-kDXqNCVqQ4CjU"
ACCOUNT_KEY = "sqoNfaAj2f7aa1zxoUxDnqLMgVd8DjmpAvn8t6swt33IfvLGRahrJUutZxiOn40GcF4gAwd23LJ2puPLc8bJ7g=="
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GITHUB_TOKEN = "ghp_d1WWgcofpVW9QW1YK7XRGLDmxUXR1qIIIQrW"
OPENAI_KEY = "sk-proj-TDqm0TXOgbHuIAO864FekqwxlSY0jpebVCjecAFi"

# type, what is found, the text around it ({} stands for what is found)
FOUND = [
    ("email", "alice@example.com", "write to {}, please"),
    ("email", "alice.o'hara+claims@mail.example.co.uk", "<{}>"),
    ("email", "alice%40example.com", "https://example.org/ask?email={}&x=1"),
    ("email", "alice%2540example.com", "next=/ask?email={}"),
    ("email", r"alice\u0040example.com", '{{"to": "{}"}}'),
    ("email", "alice&#64;example.com", "<b>{}</b>"),
    ("email", "jürgen@exämple.de", "von {} gesendet"),
    ("phone", "415-555-0132", "call {} now"),
    ("phone", "(415) 555-0132", "call {}, ask for"),
    ("phone", "(415)555-0132x459", "call {}, ask for"),
    ("phone", "415.555.2132", "tel:{}"),
    ("phone", "415 555 2132", "_{}_"),
    ("phone", "+1 415-555-0132", "my number is {}."),
    ("phone", "+14155550132", "{}"),
    ("phone", "%2B14155550132", "to={}&body=hello"),
    ("phone", "+46 (0)8 928 571 38", "ring {}"),
    ("phone", "+44 7700 900982", "ring {}"),
    ("phone", "07700 900 982", "ring {} today"),
    ("phone", "03.93.92.16.85", "tél. {}"),
    ("phone", "0171 5550123", "Telefon {}"),
    ("phone", "(030) 901 820", "Telefon {}"),
    ("payment_card", "4111111111111111", "card {}."),
    ("payment_card", "4111 1111 1111 1111", "card {}."),
    ("payment_card", "4111-1111-1111-1111", "card {}."),
    ("payment_card", "378282246310005", "amex {}"),
    ("payment_card", "3782 822463 10005", "amex {}"),
    ("payment_card", "5555555555554444", "card_{}_x"),
    ("payment_card", "2223003122003222", '"{}"'),
    ("payment_card", "6011111111111117", "PAN{}"),
    ("payment_card", "3530111333300000", "{}"),
    ("payment_card", "30569309025904", "{}"),
    ("payment_card", "630427373398", "{}"),
    ("payment_card", "4111 1111 1111 1111", "line 1234 {} on file"),
    ("iban", "GB82WEST12345698765432", "to {}."),
    ("iban", "GB82 WEST 1234 5698 7654 32", "to {} please"),
    ("iban", "gb82west12345698765432", "iban_{}"),
    ("iban", "DE89370400440532013000", "ref ab12 and my IBAN is {}"),
    ("iban", "NL91-ABNA-0417-1643-00", "{}"),
    ("us_ssn", "078-05-1120", "ssn {}"),
    ("us_ssn", "219 09 9999", "ssn {}."),
    ("us_ssn", "912-70-1234", "itin_{}"),
    ("date_of_birth", "1987-05-23", "date of birth: {}"),
    ("date_of_birth", "1987-05-23", '{{"date_of_birth": "{}"}}'),
    ("date_of_birth", "23/05/1987", "DOB {}"),
    ("date_of_birth", "23.5.87", "born on {} in Graz"),
    ("date_of_birth", "May 23, 1987", "was born {}"),
    ("date_of_birth", "23 May 1987", "Birthdate is {}"),
    ("date_of_birth", "19870523", "dob={}"),
    ("ip_address", "198.51.100.7", "from {}."),
    ("ip_address", "10.0.0.1", "http://{}:8080/"),
    ("ip_address", "2001:db8::8a2e:370:7334", "from [{}]:443"),
    ("ip_address", "6e40:4041:c617:e898:c11:40d2:c669:2eb4", "from {} at"),
    ("jwt", JWT, "token={}"),
    ("jwt", JWT.rsplit(".", 1)[0], "cut {}"),
    ("authorization", "0123456789abcdef", "Authorization: Bearer {}"),
    ("authorization", "0123456789abcdef", "authorization=bearer%20{}"),
    ("authorization", "dXNlcjpwYXNzd29yZA==", "Authorization: Basic {}"),
    ("account_key", ACCOUNT_KEY, "AccountName=x;AccountKey={};"),
    ("account_key", ACCOUNT_KEY, "the key {} leaked"),
    ("account_key", "shortkey1", "Endpoint=sb://x;SharedAccessKey={};"),
    ("aws_key", "AKIAIOSFODNN7EXAMPLE", "id {}"),
    ("aws_key", AWS_SECRET, "aws_secret_access_key = {}"),
    ("github_token", GITHUB_TOKEN, "use {} to push"),
    ("github_token", "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789", "{}"),
    ("openai_key", OPENAI_KEY, "https://x.example/?q={}"),
    ("openai_key", OPENAI_KEY, "risk-{}"),
    ("url_credential", "alice:hunter2", "postgresql://{}@db:5432/x"),
    ("url_credential", "Zm9vYmFy", "https://x.example/hook?api-version=1&sig={}"),
    ("url_credential", "hunter2", "https://x.example/?password={}&b=1"),
    (
        "private_key",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\nAKj3\n-----END RSA PRIVATE KEY-----",
        "{}",
    ),
    ("private_key", r"-----BEGIN PRIVATE KEY-----\nMIIBOgIBAAJB", '"{}"'),
]

NOT_FOUND = {
    "email": ["@app.route", "user@localhost", "a@1.2", "alice at example.com", "x@y.z"],
    "phone": [
        "2026-11-22",
        "2026-11-22T09:56:15.123456+00:00",
        "01-02-2024",
        "115-555-0132",
        "415-155-0132",
        "1-415-555-0132-99",
        "4155550132",
        "gpt-4o-2024-11-20",
        "+1.5",
        "+100 points",
        "12345678-0123-4567-8901-123456789012",
        "(1) 2 3",
    ],
    "payment_card": [
        "4111111111111112",  # Luhn
        "1763805374000000001",  # an epoch in nanoseconds
        "1763805374000",  # and in milliseconds
        "0000000000000000",
        "41111111111111110000000000000000",  # a trace id of digits only
        "a4111111111111111b0123456789abcd",  # and the usual kind
        "aaaaaaaa-4111-4111-8111-630427373398",  # a UUID
        "4111,1111,1111,1111",
        "411111111111111 1",
    ],
    "iban": [
        "GB82WEST12345698765431",  # check digits
        "XX82WEST12345698765432",  # no such country
        "GB82WEST1234569876543",  # too short
        "be68539007547034",  # a span id
        "xGB82WEST12345698765432",
    ],
    "us_ssn": [
        "000-12-3456",
        "666-12-3456",
        "123-00-4567",
        "123-45-0000",
        "123-45-67890",
        "1-123-45-6789",
        "123456789",
    ],
    "date_of_birth": ["1987-05-23", "shipped on 2026-11-22", "newborn screening", "dob unknown"],
    "ip_address": [
        "1.2.3",
        "256.1.1.1",
        "1.2.3.4.5",
        "1.0.0.0",  # the version that .NET gives by default
        "01.02.03.04",
        "09:56:15",
        "std::vector",
        "a::b",
        "00:1a:2b:3c:4d:5e",
    ],
    "jwt": ["eyJ.eyJ.x", "eyJhbGciOiJub25lIn0"],
    "authorization": [
        "bearer of bad news",
        "Bearer authentication",
        "Basic understanding of",
        "basic dXNlcg==",
    ],
    "account_key": [ACCOUNT_KEY[4:], "aGVsbG8gd29ybGQh==", "AccountKey="],
    "aws_key": ["AKIASHORT", "XAKIAIOSFODNN7EXAMPLE", "aws_secret_access_key"],
    "github_token": ["ghp_short1", "ghx_" + "a1" * 18, "high_priority_" + "a" * 30],
    "openai_key": ["risk-assessment-of-the-year-2026", "sk-learn-is-a-library-for-python", "sk-1"],
    "url_credential": ["https://example.com:8080/a@b", "https://example.com/?page=2", "?keyed=1"],
    "private_key": ["-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----"],
}


@pytest.mark.parametrize(("kind", "value", "around"), FOUND)
def test_what_must_be_found_is_found_exactly(kind: str, value: str, around: str) -> None:
    text = around.format(value)
    start = text.index(value)
    hits = [hit for hit in DETECTORS.find(text) if hit.type == kind]
    assert any(hit.start <= start and hit.end >= start + len(value) for hit in hits)
    assert sum(hit.end - hit.start for hit in hits) <= len(value) + 4


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in NOT_FOUND.items() for text in texts]
)
def test_what_only_resembles_it_is_left_alone(kind: str, text: str) -> None:
    assert kind not in {hit.type for hit in DETECTORS.find(text)}
    assert kind not in {hit.type for hit in DETECTORS.find(f'{{"x": "{text}", "n": 5}}')}


def test_every_type_has_accepted_and_rejected_cases() -> None:
    types = {compiled.detector.type for compiled in DETECTORS._compiled}  # noqa: SLF001  the set under test
    assert types == {kind for kind, *_ in FOUND} == set(NOT_FOUND)


def test_offsets_count_characters_not_bytes() -> None:
    assert DETECTORS.find("žluťoučký 🐎 078-05-1120 kůň") == [Hit("us_ssn", 12, 23)]


def test_overlapping_hits_are_united() -> None:
    text = f"Authorization: Bearer {JWT}"
    assert DETECTORS.find(text) == [Hit("jwt", 22, len(text))]


def test_two_hits_side_by_side_stay_two() -> None:
    hits = DETECTORS.find("078-05-1120, alice@example.com")
    assert [(hit.type, hit.start) for hit in hits] == [("us_ssn", 0), ("email", 13)]


def test_an_engine_that_misses_its_sample_does_not_start() -> None:
    blind = Detector("blind", r"[0-9]{3}", "no digits here")
    with pytest.raises(RedactionFailure, match="blind"):
        Detectors([blind])


def test_a_check_that_refuses_its_sample_does_not_start() -> None:
    refusing = Detector("refusing", r"[0-9]{3}", "123", accept=lambda _text, _start, _end: None)
    with pytest.raises(RedactionFailure, match="refusing"):
        Detectors([refusing])


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    for hit in DETECTORS.find(text):
        assert 0 <= hit.start < hit.end <= len(text)


@given(st.text(st.characters(exclude_categories=[])), st.text())
def test_surroundings_do_not_hide_a_secret(before: str, after: str) -> None:
    hits = DETECTORS.find(f"{before} {GITHUB_TOKEN} {after}")
    assert any(
        hit.start <= len(before) + 1 and hit.end >= len(before) + 1 + len(GITHUB_TOKEN) for hit in hits
    )
