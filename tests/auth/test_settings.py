"""Settings refuse to start a process on secrets that are missing, short, or made up here."""

import pytest
from pydantic import ValidationError

GOOD = "a-secret-of-at-least-thirty-two-characters"


@pytest.mark.parametrize("name", ["password_pepper", "key_encryption_key"])
@pytest.mark.parametrize("value", ["", "short", f"{GOOD},short", ","])
def test_a_missing_or_short_secret_stops_the_process_at_its_start(settings_of, name, value):
    with pytest.raises(ValidationError, match=name.upper()):
        settings_of(**{name: value})


@pytest.mark.parametrize("name", ["password_pepper", "key_encryption_key"])
@pytest.mark.parametrize("environment", ["development", "production"])
def test_no_secret_has_a_default_in_any_environment(settings_of, name, environment):
    with pytest.raises(ValidationError, match=name):
        settings_of(environment=environment, **{name: None})


def test_proxies_must_be_networks(settings_of):
    with pytest.raises(ValidationError):
        settings_of(trusted_proxies="gateway")
