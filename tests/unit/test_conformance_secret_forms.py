"""A password is recognised in every form from which it can be read back, and nothing else is taken for it."""

from __future__ import annotations

import json
import shlex
from base64 import b64encode, encodebytes, urlsafe_b64encode
from urllib.parse import quote

import pytest

from conformance.secret_forms import redact, shown, shown_in_bytes

PLAIN = "Zq7-0123456789ab"
HARD = 'it\'s "a"/b+c?&é%\\'
FORMS = {
    "as it is": lambda s: s,
    "in base64, alone": lambda s: b64encode(s.encode()).decode(),
    "in base64, behind a user of one letter": lambda s: b64encode(f"a:{s}".encode()).decode(),
    "in base64, behind a user of two letters": lambda s: b64encode(f"ab:{s}".encode()).decode(),
    "in base64, behind a user of four letters": lambda s: b64encode(f"root:{s}\n".encode()).decode(),
    "in base64 for URLs": lambda s: urlsafe_b64encode(f"??>{s}".encode()).decode(),
    "in base64, over several lines": lambda s: encodebytes(f"{'x' * 50}{s}".encode()).decode(),
    "percent-encoded": lambda s: quote(s, safe=""),
    "percent-encoded throughout": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "in JSON": lambda s: json.dumps({"password": s}),
    "in JSON that is not ASCII": lambda s: json.dumps({"password": s}, ensure_ascii=False),
    "in JSON, escaped throughout": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "quoted for a shell": lambda s: shlex.quote(s),
    "quoted for a shell, with backslashes": lambda s: "".join(f"\\{c}" for c in s),
    "quoted for a shell, the other way": lambda s: "'" + s.replace("'", "'\\''") + "'",
}


@pytest.mark.parametrize("secret", [PLAIN, HARD])
@pytest.mark.parametrize("form", FORMS)
def test_a_password_is_seen(secret: str, form: str) -> None:
    text = f"before {FORMS[form](secret)} after"
    assert shown([secret], text)
    assert shown_in_bytes([secret], b"\xff\x00" + text.encode())


@pytest.mark.parametrize("form", FORMS)
def test_another_password_is_not(form: str) -> None:
    assert not shown([PLAIN], FORMS[form]("Zq7-ba9876543210"))


def test_nothing_is_judged_that_anybody_may_write_by_chance() -> None:
    assert not shown(["admin"], "user=admin")
    assert not shown([""], "anything")
    assert shown(["admin1"], "user=admin1")


def test_a_quote_leaves_no_form_of_it() -> None:
    written = [form for name, form in FORMS.items() if not any(word in name for word in ("lines", "backslash", "JSON, esc"))]
    for form in written:
        assert not shown([PLAIN], redact(form(PLAIN), [PLAIN]))
    assert redact(f"password={PLAIN}!", [PLAIN, "", "abc"]) == "password=[password]!"
