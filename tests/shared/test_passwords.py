"""The file of passwords, whatever is in it."""

import psycopg
import pytest

from shared.passwords import passwords_in


def test_each_line_is_a_password_whatever_it_holds(tmp_path):
    file = tmp_path / "passwords"
    file.write_text("the next one\r\n\n old=%2F \n", encoding="utf-8")
    assert passwords_in(file) == ["the next one", " old=%2F "]


@pytest.mark.parametrize("content", [None, b"", b" \n\n", b"\xff\xfe"])
def test_without_a_password_it_is_as_if_the_server_refused(tmp_path, content):
    file = tmp_path / "passwords"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(psycopg.OperationalError):
        passwords_in(file)
