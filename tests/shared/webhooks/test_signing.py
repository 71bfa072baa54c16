"""Signing, waiting and addressing, without a network."""

import base64
import hashlib
import hmac
from uuid import UUID

import pytest

from shared.webhooks import signing
from shared.webhooks.egress import check_target
from shared.webhooks.errors import TargetRefused

# The example of the Standard Webhooks specification.
SPEC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SPEC_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SPEC_TIMESTAMP = 1614265330
SPEC_BODY = b'{"test": 2432232314}'
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signature_is_the_one_of_the_specification():
    assert signing.sign([SPEC_SECRET], SPEC_ID, SPEC_TIMESTAMP, SPEC_BODY) == SPEC_SIGNATURE


def test_two_secrets_give_two_signatures_that_each_verify():
    endpoint = UUID(int=7)
    secrets = [signing.secret(b"key", endpoint, generation) for generation in (2, 1)]
    header = signing.sign(secrets, "msg_1", 1, b"{}")
    for secret, signature in zip(secrets, header.split(" "), strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = hmac.new(key, b"msg_1.1.{}", hashlib.sha256).digest()
        assert signature == "v1," + base64.b64encode(expected).decode()
        assert len(key) == 32


def test_every_endpoint_and_generation_has_its_own_secret():
    secrets = {
        signing.secret(key, UUID(int=endpoint), generation)
        for key in (b"a", b"b")
        for endpoint in (1, 2)
        for generation in (1, 2)
    }
    assert len(secrets) == 8


def test_ten_attempts_over_three_days_then_no_more():
    waits = [signing.delay_seconds(attempts, 0.0) for attempts in range(1, 10)]
    assert waits == list(signing.DELAYS_SECONDS)
    assert 2.5 <= sum(waits) / 86_400 <= 3.5
    assert signing.delay_seconds(10, 0.0) is None
    assert signing.delay_seconds(2, 1.0) == 360


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::", "not an address", "",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address):
    assert not signing.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_addresses_outside_are_public(address):
    assert signing.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example.com/", "ftp://partner.example.com/", "https://", "//x", "https:x",
        "https://user:secret@partner.example.com/", "https://127.0.0.1/", "https://[::1]/",
        "https://2130706433/", "https://0x7f.1/", "https://0/", "https://169.254.169.254/latest",
        "https://partner.example.com:0/", "https://partner.example.com:99999/",
        "https://part ner/", "https://partner.example.com/\r\nX: y", "https://[::1", "javascript:x",
    ],
)  # fmt: skip
def test_targets_nobody_should_reach_are_refused(url):
    with pytest.raises(TargetRefused):
        check_target(url, private=False)


def test_a_closed_network_may_allow_what_is_inside_but_never_other_schemes():
    assert check_target("http://10.0.0.5:8080/hook", private=True).port == 8080
    with pytest.raises(TargetRefused):
        check_target("file:///etc/passwd", private=True)
