import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detector, Detectors, Hit, standard_detectors
from functions.evidence.detectors.engine import to_try

DETECTORS = standard_detectors()

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiAiMjczNzM0MTk1NiJ9.TzKvZFHHi98pMaShkw-kDXqNCVqQ4CjU"
ACCOUNT_KEY = "sqoNfaAj2f7aa1zxoUxDnqLMgVd8DjmpAvn8t6swt33IfvLGRahrJUutZxiOn40GcF4gAwd23LJ2puPLc8bJ7g=="
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GITHUB_TOKEN = "ghp_d1WWgcofpVW9QW1YK7XRGLDmxUXR1qIIIQrW"
GCP_KEY = "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
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
    ("phone", "467 3395", "Phone:\n{}\n\nE-mail"),
    ("phone", "9498777106", "Fax: {}"),
    ("phone", "781 1704", "{} office"),
    ("phone", "99 668472", "They're not answering at {}"),
    ("mac_address", "00:1a:2b:3c:4d:5e", "from {} on"),
    ("mac_address", "00-1A-2B-3C-4D-5E", "({})"),
    ("mac_address", "001a.2b3c.4d5e", "station {}."),
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
    # Numbers that the authorities and standards themselves give as examples.
    ("national_id", "046 454 286", "social insurance number {}"),
    ("national_id", "943 476 5919", "NHS number {}"),
    ("national_id", "AB 12 34 56 C", "my number is {}."),
    ("national_id", "12345678Z", "DNI {}"),
    ("national_id", "X-1234567-L", "NIE {}"),
    ("national_id", "RSSMRA85T10A562S", "codice fiscale {}"),
    ("national_id", "255081416802538", "{}"),
    ("national_id", "2 55 08 14 168 025 38", "{}"),
    ("national_id", "86 095 742 719", "Steuer-ID: {}"),
    ("national_id", "111222333", "BSN {}"),
    ("national_id", "44051401359", "PESEL: {}"),
    ("national_id", "529.982.247-25", "{}"),
    ("national_id", "52998224725", "cpf={}"),
    ("national_id", "2345 6789 0124", "aadhaar {}"),
    ("national_id", "811218-9876", "personnummer {}"),
    ("national_id", "19811218-9876", "{}"),
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
    ("gcp_key", GCP_KEY, "key {}"),
    ("gcp_key", "GOCSPX-" + "a1B2" * 7, "{}"),
    ("slack_token", "xoxb-123456789012-1234567890123-a1b2c3d4e5f6", "{}"),
    ("slack_token", "T00000000/B00000000/a1b2c3d4e5f6a1b2c3d4e5f6", "https://hooks.slack.com/services/{}"),
    ("secret", "q7Xz9LmP2vR8sT4w", "client_secret: {}"),
    ("secret", "q7Xz9LmP2vR8sT4w", '{{"api_key": "{}"}}'),
    ("secret", "Tr0ub4dor&3"[:9], "the password is {}"),
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
        "call 3 of 12",
        "called on 2026-11-22",
        "office 365",
        "cellular 5",
        "phone 123",
        "system 4673395",
    ],
    "mac_address": [
        "00:00:00:00:00:00",
        "00:1a:2b:3c:4d:5e:6f",
        "10:20:30",
        "x00:1a:2b:3c:4d:5e",
        "001a2b3c4d5e",
    ],
    "national_id": [
        "SIN 046 454 287",
        "046 454 286",
        "NHS number 943 476 5918",
        "GB 12 34 56 C",
        "AB 12 34 56 E",
        "12345678A",
        "RSSMRA85T10A562T",
        "255081416802539",
        "Steuer-ID: 86 095 742 718",
        "BSN 111222334",
        "PESEL 44051401358",
        "529.982.247-26",
        "111.111.111-11",
        "2345 6789 0125",
        "811318-9876",
        "811218-9877",
        "12345678Zx",
    ],
    "gcp_key": ["AIzaShort1", "GOCSPX-1"],
    "slack_token": ["xoxb-short", "xoxo-hugs-and-kisses-1", "https://hooks.slack.com/"],
    "secret": [
        "the password is wrong",
        "token: refreshed",
        "password: ********",
        "secret = secretsecret",
        "tokens: 12345678",
        "passwords are kept",
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


@pytest.mark.parametrize(("said", "tried"), [([3, 1], [1, 3]), ([], [0, 1, 2, 3]), (None, [0, 1, 2, 3])])
def test_where_the_set_is_blind_all_patterns_are_tried(said: list[int] | None, tried: list[int]) -> None:
    assert list(to_try(4, said)) == tried


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
