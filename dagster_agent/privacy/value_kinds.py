"""What a single value looks like: forms with check digits first, shapes after them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from dagster_agent.privacy.name_words import lexicon

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[^\W\d_]{2,24}")
_PHONE = re.compile(
    r"(?:\+|00)[1-9]\d{0,2}[\s().-]*\d(?:[\s().\/-]*\d){5,12}(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
    r"|(?:1[\s.-])?\(?[2-9]\d{2}\)?[\s.-]\d{3}[\s.-]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
    r"|\(?0\d{1,5}\)?[\s\/-]\d{2,4}(?:[\s\/-]?\d{2,4}){1,4}"
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_SSN = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
_NINO = re.compile(
    r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d ?){3}[A-D]"
)
_DNI = re.compile(r"([XYZ]|\d)(\d{7})-?([A-Z])")
_FISCALE = re.compile(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]")
_CPF = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}")
_CURP = re.compile(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d")
_NIR = re.compile(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}")
_GEO = re.compile(
    r"\{[^{}]{0,80}\"lat(?:itude)?\"\s*:\s*\"?-?\d+\.\d+\"?[^{}]{0,40}"
    r"\"(?:lon|lng|long|longitude)\"\s*:\s*\"?-?\d+\.\d+[^{}]{0,80}\}"
    r"|\(?-?\d{1,2}\.\d{3,}[,;] ?-?\d{1,3}\.\d{3,}\)?|POINT ?\(-?[\d.]+ -?[\d.]+\)"
)
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d")
_STREET = re.compile(
    r"\d{1,5}[a-z]? [\w.' -]{2,40}\b(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd"
    r"|court|ct|way|place|pl|terrace|square|close)\b\.?.*"
    r"|[^\W\d][\w.' -]{1,40}(?:str(?:aße|asse|\.)|weg|platz|allee|gasse|ring|damm|ufer)"
    r" ?\d{1,4} ?[a-z]?\b.*"
    r"|\d{1,4}(?: ?bis| ?ter)?,? (?:rue|avenue|boulevard|chemin|place|impasse|all[eé]e|quai)\b.+"
    r"|(?:calle|avenida|paseo|plaza|rua|travessa|via|viale|piazza|corso|c/|av\.)\s"
    r".+?,? ?\d{1,4}\b.*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:(?:ul|al|os|pl|plac|ulica)\.? [^\W\d][\w.' -]{1,40} \d{1,4}"
    r"|[^\W\d][\w.' -]{1,40} (?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|blvd)\.? \d{1,5}"
    r"|[^\W\d][\w.' -]{0,40}(?:straat|laan|plein|gracht|kade|gatan|gata|gate|gade|vägen|veien|vej"
    r"|katu|tie|sokak|sok\.|cadde\w*|cad\.|utca|út|ulice)(?: no:?)? ?\d{1,4}"
    r"|\d{1,5},? (?:rue|avenida|av\.|calle|via|rua|avenue|[^\W\d][\w.' -]{1,30}"
    r"(?:str\.|straße|strasse|weg|gasse|straat|laan))"
    r"|\d{1,5} [^\W\d][\w.' -]{1,40}, [^\W\d][\w.' -]{1,30},? [A-Z]{2} \d{5}"
    r"|[^\W\d][\w.' -]{1,40} \d{1,4} ?[a-z]?, (?:[A-Z]{1,2}-)?\d{4,5}(?: ?[A-Z]{2})? [^\W\d]).*",
    re.IGNORECASE,
)
_PROFILE = re.compile(
    r"(?:https?://)?(?:\w{2,3}\.)?(?:linkedin\.com/(?:in|pub)/|tiktok\.com/@|medium\.com/@"
    r"|facebook\.com/profile\.php\?id=|t\.me/)[\w%.-]+/?"
)
_CALL_ME = re.compile(
    r"(?<![\w.:+])(?:\+[1-9]\d{0,2}[ ./()-]{0,2}\d{2,4}(?:[ ./()-]{0,2}\d{2,4}){2,4}"
    r"|\([2-9]\d{2}\) ?\d{3}-\d{4})(?![\w:])"
)
"""A telephone number in the middle of a sentence."""
_CREDENTIAL = re.compile(
    r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$.{20,}|pbkdf2_sha\d+\$.{20,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+|(?:sk|rk|pk)[-_](?:live|test|proj|ant)[-_][\w-]{10,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|xox[abp]-[\w-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY.*"
)
_REMOTE = re.compile(r"(?:git|ssh|[\w+]+://)[\w.-]*[@:]")
"""Addresses of repositories and services look like e-mail."""
_SHORT = 200
"""Longer values are prose."""
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_MACHINE = re.compile(rf"(?:{_UUID.pattern}|0x[0-9a-fA-F]+|[0-9a-f]{{16,}})")
"""Addresses of memory, contracts and objects."""
_GENDERS = lexicon("""
    d divers diverse donna erkek f female femenino feminino femme femmina frau h herr hombre
    homme k kadin kadın kobieta kvinde kvinna kvinne m male man mand mann mannlich maschio
    masculino mies miss mlle mme mr mrs ms mujer muž männlich mężczyzna nainen non-binary
    nonbinary other sr sra u unknown uomo vrouw w weiblich woman x žena
""")
_CLEAR_GENDERS = _GENDERS - lexicon("m f d w h k x u other unknown")


def kind_of(value: str) -> str:
    """The kind that a value's form gives away; empty for none."""
    text = value.strip()
    if len(text) < 4:
        return ""
    if len(text) <= _SHORT:
        found = next((kind for kind, fits in _FORMS.items() if fits(text)), "")
        if found:
            return found
    if "@" not in text or _REMOTE.match(text) or not _EMAIL.search(text):
        return "free_text" if " " in text and text[0] not in "{[<" and _CALL_ME.search(text) else ""
    prose = len(text) > _SHORT or (len(text.split()) > 3 and text[0] not in "{[<")
    return "free_text" if prose else "email"


def fits_kind(kind: str, value: str) -> bool:
    """Whether a value may be of that kind, once the name has said so."""
    return _LOOSE[kind](value.strip()) if kind in _LOOSE else True


def is_gender(values: list[str]) -> bool:
    """Whether the distinct values are genders or salutations, at least two of them telling."""
    found = {value.strip().lower().rstrip(".") for value in values}
    return 2 <= len(found) <= 12 and found <= _GENDERS and len(found & _CLEAR_GENDERS) >= 2


def luhn(digits: str) -> bool:
    """The check digit of payment cards and IMEIs."""
    doubled = (int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def iban(text: str) -> bool:
    """ISO 13616: two letters, two check digits, modulo 97."""
    bare = re.sub(r"[ -]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", bare):
        return False
    return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1


def card(text: str) -> bool:
    """A payment card: 13 to 19 digits of a known issuer's range with their check digit."""
    bare = re.sub(r"[ -]", "", text)
    known = re.fullmatch(r"(?:4|5[1-5]|2[2-7]|3[0-9]|6(?:011|4|5|2|0|7|9|3))\d{10,17}", bare)
    return bool(known) and 13 <= len(bare) <= 19 and len(set(bare)) > 1 and luhn(bare)


def ip(text: str) -> bool:
    """An IP address or network."""
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "." in text or ":" in text


def phone(text: str) -> bool:
    """A telephone number as people write it, with its separators or the plus sign."""
    digits = sum(sign.isdigit() for sign in text)
    return 7 <= digits <= 19 and not _DATE.fullmatch(text) and bool(_PHONE.fullmatch(text))


def dni(text: str) -> bool:
    """Spanish DNI or NIE with its control letter."""
    found = _DNI.fullmatch(text.upper())
    if found is None:
        return False
    first = str("XYZ".index(found[1])) if found[1] in "XYZ" else found[1]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(first + found[2]) % 23] == found[3]


def nir(text: str) -> bool:
    """French social security number with its key."""
    bare = text.replace(" ", "")
    if not _NIR.fullmatch(text) or not bare.isdigit():
        return False
    return 97 - int(bare[:13]) % 97 == int(bare[13:])


def _national(text: str) -> bool:
    return bool(_SSN.fullmatch(text) or _NINO.fullmatch(text) or _CURP.fullmatch(text)) or (
        _CPF.fullmatch(text) is not None or dni(text) or nir(text)
    )


def _digits(text: str, least: int, most: int) -> bool:
    found = sum(sign.isdigit() for sign in text)
    return least <= found <= most


def _loose_phone(text: str) -> bool:
    return bool(re.fullmatch(r"\+?[\d\s().\/-]+(?:(?:x|ext\.?)\s?\d+)?", text, re.I)) and _digits(
        text, 6, 19
    )


_TRAILING_NUMBER = re.compile(r"(?<=[^\W\d_])[,;:/ -]{1,4}\(?\+?\d[\d\s().-]{5,20}$")
"""`Ann Smith +49 151 2345678`: whom to call, and where."""


def _loose_name(text: str) -> bool:
    text = _TRAILING_NUMBER.sub("", text)
    wordy = bool(re.fullmatch(r"[^\W\d_][^\d_@/\\{}<>|=:;]*", text))
    return wordy and len(text.split()) <= 6 and not (text.isupper() and "_" in text)


_FORMS: Mapping[str, Callable[[str], bool]] = {
    "email": lambda t: bool(_EMAIL.fullmatch(t)),
    "credential": lambda t: bool(_CREDENTIAL.fullmatch(t)),
    "iban": iban,
    "ip_address": ip,
    "device_id": lambda t: bool(_MAC.fullmatch(t)),
    "national_id": _national,
    "tax_id": lambda t: bool(_FISCALE.fullmatch(t.upper())),
    "credit_card": card,
    "phone": phone,
    "geo": lambda t: bool(_GEO.fullmatch(t)),
    "postal_code": lambda t: bool(_POSTCODE.fullmatch(t)),
    "address": lambda t: bool(_STREET.fullmatch(t) or _NUMBERED.fullmatch(t)),
    "username": lambda t: bool(_PROFILE.fullmatch(t)),
}
"""First that fits wins: an e-mail is never a name, a MAC address no phone number."""

_LOOSE: Mapping[str, Callable[[str], bool]] = {
    "email": lambda t: "@" in t,
    "phone": _loose_phone,
    "name": _loose_name,
    "iban": lambda t: bool(re.fullmatch(r"[A-Za-z]{2}\d{2}[\sA-Za-z0-9-]{10,40}", t)),
    "ip_address": ip,
    "credit_card": lambda t: _digits(t, 12, 19) or bool(re.fullmatch(r"\d{3,4}", t)),
    "national_id": lambda t: _digits(t, 4, 18) and len(t) <= 24,
    "tax_id": lambda t: _digits(t, 4, 18) and len(t) <= 24,
    "passport": lambda t: bool(re.fullmatch(r"[A-Za-z0-9 <-]{5,16}", t)) and _digits(t, 3, 16),
    "bank_account": lambda t: bool(re.fullmatch(r"[A-Za-z0-9 -]{4,34}", t)),
    "postal_code": lambda t: bool(re.fullmatch(r"[A-Za-z0-9 -]{3,10}", t)) and _digits(t, 1, 9),
    "license_plate": lambda t: bool(re.fullmatch(r"[\w .·-]{3,17}", t)) and _digits(t, 1, 12),
    "device_id": lambda t: len(t) >= 8 and " " not in t,
    "username": lambda t: len(t) <= 64 and len(t.split()) <= 3 and not _UUID.fullmatch(t),
    "date_of_birth": lambda t: bool(re.match(r"\d{4}(?:\D|$)|\d{1,2}\D\d{1,2}\D\d{2,4}|\d{8}$", t)),
    "geo": lambda t: bool(re.search(r"-?\d+\.\d+", t)) or "POINT" in t.upper(),
    "address": lambda t: (
        bool(re.search(r"[^\W_]", t)) and "://" not in t and not _MACHINE.fullmatch(t)
    ),
    "income": lambda t: _digits(t, 2, 12),
    "free_text": lambda t: " " in t,
    "gender": lambda t: len(t) <= 24,
}
"""What a value must at least look like where the name is strong."""
