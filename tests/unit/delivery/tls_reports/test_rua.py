"""Where reports are wanted, by a domain's record."""

import pytest

from malleposte.delivery.tls_reports.rua import addresses_of


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=TLSRPTv1; rua=mailto:tls@example.com"], ("mailto:tls@example.com",)),
        (["v=TLSRPTv1;rua=https://r.example/v1/x"], ("https://r.example/v1/x",)),
        (
            ["v=TLSRPTv1; rua=mailto:a@example.com , https://r.example/;"],
            ("mailto:a@example.com", "https://r.example/"),
        ),
        (["v=TLSRPTv1; rua=mailto:a%2Bb@example.com"], ("mailto:a+b@example.com",)),
        (["v=TLSRPTv1; rua=mailto:a@b.example?subject=x"], ()),
        (["v=TLSRPTv1; rua=mailto:a%2Cb@example.com,mailto:c@d.example"], ("mailto:c@d.example",)),
        (["v=TLSRPTv1; rua=mailto:a@b.example%0d%0aBcc:c@d.example"], ()),
        (["v=TLSRPTv1; rua=mailto:a@b.example,mailto:a@b.example"], ("mailto:a@b.example",)),
        (
            ["v=TLSRPTv1; rua=" + ",".join(f"mailto:a{n}@b.example" for n in range(9))],
            tuple(f"mailto:a{n}@b.example" for n in range(3)),
        ),
        (["v=TLSRPTv1; rua=http://r.example/"], ()),
        (["v=TLSRPTv1; rua=file:///etc/passwd"], ()),
        (["v=TLSRPTv1; rua=mailto:nobody"], ()),
        (["v=TLSRPTv1; rua=mailto:ä@example.com"], ()),
        (["v=TLSRPTv1; x=y"], ()),
        (["v=TLSRPTv2; rua=mailto:a@b.example"], ()),
        (["v=TLSRPTv1; rua=mailto:a@b.example"] * 2, ()),
        (["v=TLSRPTv1; rua=mailto:a@b.example", "other"], ("mailto:a@b.example",)),
        ([], ()),
    ],
)
def test_addresses_of_a_record(texts: list[str], found: tuple[str, ...]) -> None:
    assert addresses_of(texts) == found
