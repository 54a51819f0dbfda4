"""Which URLs and addresses webhooks are sent to: nothing that only this app can reach."""

import pytest

from shared.webhooks.egress import EgressRefused, check_addresses, check_url, is_public

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "169.254.1.1", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "fec0::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:1::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "93.184.216.34", "20.50.2.1", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://crm.example/hooks", "not_https"),
        ("ftp://crm.example/hooks", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://user@crm.example/", "malformed"),
        ("https://user:secret@crm.example/", "malformed"),
        ("https://crm.example/#part", "malformed"),
        ("https://crm.example\\@10.0.0.1/", "malformed"),
        ("https://crm.example/a b", "malformed"),
        ("https://crm.example/\r\nHost: other", "malformed"),
        ("https://crm.example:99999/", "malformed"),
        ("https://crm.example:x/", "malformed"),
        ("https://[::1", "malformed"),
        ("https://crm_example/", "malformed"),
        ("https://127.1/", "malformed"),
        ("https://2130706433/", "malformed"),
        ("https://0x7f000001/", "malformed"),
        ("https://0177.0.0.1/", "malformed"),
        ("https://b\u00fccher.example/", "malformed"),
        (f"https://crm.example/{'a' * 2000}", "malformed"),
        ("https://crm.example:22/", "port"),
        ("https://crm.example:80/", "port"),
        ("https://crm.example:0/", "port"),
        ("https://127.0.0.1/", "address"),
        ("https://10.0.0.1/", "address"),
        ("https://169.254.169.254/metadata", "address"),
        ("https://168.63.129.16/", "address"),
        ("https://[::1]/", "address"),
        ("https://[::ffff:127.0.0.1]/", "address"),
        ("https://localhost/", "address"),
        ("https://app.localhost:8443/", "address"),
        ("https://metadata.google.internal/", "address"),
        ("https://printer.local/", "address"),
    ],
)
def test_url_that_can_never_be_an_endpoint_is_refused(url: str, fault: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        check_url(url)
    assert refused.value.fault == fault


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://crm.example/hooks?key=1", "crm.example", 443),
        ("https://CRM.Example:8443/", "crm.example", 8443),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443),
        ("https://93.184.216.34/hooks", "93.184.216.34", 443),
        ("https://[2606:4700::1111]/hooks", "2606:4700::1111", 443),
    ],
)
def test_public_url_is_allowed(url: str, host: str, port: int) -> None:
    assert check_url(url) == (host, port)


def test_private_host_is_allowed_only_by_its_setting() -> None:
    assert check_url("https://localhost:8443/", ["localhost"]) == ("localhost", 8443)
    with pytest.raises(EgressRefused):
        check_url("https://other.localhost/", ["localhost"])
    with pytest.raises(EgressRefused):
        check_url("http://localhost/", ["localhost"])
    assert check_addresses("localhost", ["127.0.0.1"], ["localhost"]) == "127.0.0.1"


def test_one_private_address_among_several_refuses_the_name() -> None:
    assert check_addresses("crm.example", ["8.8.8.8", "2606:4700::1111"]) == "8.8.8.8"
    for addresses, fault in ((["8.8.8.8", "10.0.0.1"], "address"), ([], "not_resolved")):
        with pytest.raises(EgressRefused) as refused:
            check_addresses("crm.example", addresses)
        assert refused.value.fault == fault
