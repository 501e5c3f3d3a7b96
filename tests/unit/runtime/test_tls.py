"""Certificates change under running listeners: real handshakes, over asyncio and uvloop."""

import asyncio
import contextlib
import datetime
import shutil
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from malleposte.runtime.tls import CertificateError, Certificates, TlsSettings
from malleposte.runtime.tls_selfsigned import SelfSignedPair, self_signed_pair

Loop = Callable[[], asyncio.AbstractEventLoop]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def run(loop: Loop, scene: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scene(), 30)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(bounded())


@pytest.fixture
def pair(tmp_path: Path) -> SelfSignedPair:
    return self_signed_pair(tmp_path / "tls", "mail.example.org")


def settings(pair: SelfSignedPair) -> TlsSettings:
    return TlsSettings(pair.certificate, pair.key, look_every=0.01)


def replace(pair: SelfSignedPair, name: str = "mail.example.org") -> SelfSignedPair:
    """Another pair in the place of the old one, as a renewal does."""
    fresh = self_signed_pair(pair.key.parent.parent / f"new-{name}-{len(name)}", name)
    fresh.certificate.rename(pair.certificate)
    fresh.key.rename(pair.key)
    fresh.authority.rename(pair.authority)
    return pair


def rsa_pair(folder: Path) -> tuple[Path, Path]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old rsa")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "rsa.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "rsa.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "rsa.pem", folder / "rsa.key"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(100):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def listening(certificates: Certificates) -> AsyncIterator[int]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=certificates.context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # Let the echoes see the end of their connections.
        await asyncio.sleep(0.05)


def trusting(pair: SelfSignedPair) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=pair.authority)


def blind() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def connect(port: int, context: ssl.SSLContext, name: str | None = None) -> Stream:
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")


def served(stream: Stream) -> str:
    certificate = stream[1].get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()


async def answers(stream: Stream) -> bool:
    stream[1].write(b"still here")
    return await stream[0].readexactly(10) == b"still here"


async def leave(*streams: Stream) -> None:
    for _, writer in streams:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@LOOPS
def test_clients_that_trust_the_authority_verify_all_its_names(
    loop: Loop, pair: SelfSignedPair
) -> None:
    async def scene() -> None:
        async with listening(Certificates(settings(pair))) as port:
            for name in ("mail.example.org", "localhost", "127.0.0.1", "::1"):
                context = trusting(pair)
                context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python 3.13's default
                stream = await connect(port, context, name)
                assert await answers(stream)
                await leave(stream)
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect(port, trusting(pair), "other.example.org")

    run(loop, scene)


@LOOPS
def test_new_handshakes_take_the_new_certificate_and_old_connections_live(
    loop: Loop, pair: SelfSignedPair
) -> None:
    async def scene() -> None:
        certificates = Certificates(settings(pair))
        old_facts = certificates.facts
        async with listening(certificates) as port:
            old = await connect(port, trusting(pair), "localhost")
            assert served(old) == old_facts.fingerprint
            assert not certificates.look(), "nothing changed"
            replace(pair, "renewed.example.org")
            assert certificates.look()
            assert certificates.facts.names[0] == "renewed.example.org"
            new = await connect(port, trusting(pair), "renewed.example.org")
            assert served(new) == certificates.facts.fingerprint != old_facts.fingerprint
            nameless = await connect(port, blind())
            assert served(nameless) == certificates.facts.fingerprint, "also without SNI"
            assert await answers(old)
            assert await answers(new)
            await leave(old, new, nameless)

    run(loop, scene)


@LOOPS
def test_a_change_of_the_keys_type_leaves_nothing_of_the_old_pair(
    loop: Loop, pair: SelfSignedPair, tmp_path: Path
) -> None:
    # Two pairs loaded into one context: OpenSSL keeps both and prefers ECDSA, the old one here.
    async def scene() -> None:
        certificates = Certificates(settings(pair))
        async with listening(certificates) as port:
            certificate, key = rsa_pair(tmp_path)
            certificate.rename(pair.certificate)
            key.rename(pair.key)
            assert certificates.look()
            stream = await connect(port, blind())
            assert served(stream) == certificates.facts.fingerprint
            await leave(stream)
            context = blind()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await connect(port, context)

    run(loop, scene)


@LOOPS
def test_starttls_upgrades_with_the_same_context(loop: Loop, pair: SelfSignedPair) -> None:
    async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\r\n"
        writer.write(b"go on\r\n")
        await writer.start_tls(certificates.context)
        await echo(reader, writer)

    certificates = Certificates(settings(pair))

    async def scene() -> None:
        server = await asyncio.start_server(upgraded, "127.0.0.1", 0)
        replace(pair)
        assert certificates.look()
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"STARTTLS\r\n")
        assert await reader.readline() == b"go on\r\n"
        await writer.start_tls(trusting(pair), server_hostname="localhost")
        assert served((reader, writer)) == certificates.facts.fingerprint
        assert await answers((reader, writer))
        await leave((reader, writer))
        server.close()
        await asyncio.sleep(0.05)

    run(loop, scene)


@LOOPS
def test_a_broken_new_pair_keeps_the_old_and_is_told_once(loop: Loop, pair: SelfSignedPair) -> None:
    async def scene() -> None:
        certificates = Certificates(settings(pair))
        facts = certificates.facts
        good = pair.certificate.read_bytes()
        async with listening(certificates) as port:
            with capture_logs() as logs:
                pair.certificate.write_text("nonsense")
                assert [certificates.look() for _ in range(3)] == [False] * 3
                assert [entry["log_level"] for entry in logs] == ["error"]
                assert "no certificate in PEM form" in logs[0]["reason"]
                pair.certificate.unlink()
                assert [certificates.look() for _ in range(3)] == [False] * 3
                assert len(logs) == 2, "another reason is told"
                assert "No such file" in logs[1]["reason"]
            stream = await connect(port, trusting(pair), "localhost")
            assert served(stream) == facts.fingerprint
            await leave(stream)
            pair.certificate.write_bytes(good)
            assert not certificates.look(), "the same pair is back"
            replace(pair)
            assert certificates.look(), "and a good one is taken again"

    run(loop, scene)


def test_half_a_renewal_waits_for_the_other_half(pair: SelfSignedPair, tmp_path: Path) -> None:
    certificates = Certificates(settings(pair))
    fresh = self_signed_pair(tmp_path / "fresh", "mail.example.org")
    shutil.copy(fresh.certificate, pair.certificate)
    with capture_logs() as logs:
        assert not certificates.look()
    assert "does not belong to the certificate" in logs[0]["reason"]
    shutil.copy(fresh.key, pair.key)
    assert certificates.look()


def test_watch_looks_at_every_interval(pair: SelfSignedPair) -> None:
    async def scene() -> None:
        certificates = Certificates(TlsSettings(pair.certificate, pair.key, look_every=30))
        before = certificates.facts
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 2:
                replace(pair)
            if len(slept) == 4:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await certificates.watch(sleep)
        assert slept == [30] * 4
        assert certificates.facts != before

    run(asyncio.new_event_loop, scene)


@LOOPS
def test_old_protocols_and_weak_ciphers_are_refused(loop: Loop, pair: SelfSignedPair) -> None:
    async def scene() -> None:
        async with listening(Certificates(settings(pair))) as port:
            for ciphers in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
                context = blind()
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers(ciphers)
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await connect(port, context)
        assert Certificates(settings(pair)).context.minimum_version == ssl.TLSVersion.TLSv1_2

    run(loop, scene)


def _vector(content: bytes, octets: int) -> bytes:
    """Content behind its length (RFC 5246 §4.3)."""
    return len(content).to_bytes(octets, "big") + content


def compressing_hello() -> bytes:
    """A TLS 1.2 ClientHello that prefers DEFLATE (RFC 3749), as no program of today makes it."""
    extensions = {
        10: _vector(b"\x00\x1d\x00\x17", 2),  # supported_groups: x25519, secp256r1
        11: _vector(b"\x00", 1),  # ec_point_formats: uncompressed
        13: _vector(b"\x04\x03\x08\x04", 2),  # signature_algorithms: ECDSA and RSA-PSS with SHA-256
    }
    body = (
        b"\x03\x03"
        + bytes(32)  # random
        + _vector(b"", 1)  # session_id
        + _vector(b"\xc0\x2b\xc0\x2c", 2)  # ECDHE-ECDSA with AES-GCM
        + _vector(b"\x01\x00", 1)  # compression_methods: DEFLATE, null
        + _vector(b"".join(n.to_bytes(2) + _vector(e, 2) for n, e in extensions.items()), 2)
    )
    return b"\x16\x03\x01" + _vector(b"\x01" + _vector(body, 3), 2)


@LOOPS
def test_nothing_is_compressed(loop: Loop, pair: SelfSignedPair) -> None:
    """RFC 9325 §3.3: what is compressed with a secret tells of it by its length."""

    async def scene() -> None:
        async with listening(Certificates(settings(pair))) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(compressing_hello())
            kind, _, length = struct.unpack(">BHH", await reader.readexactly(5))
            hello = await reader.readexactly(length)
            assert (kind, hello[0]) == (22, 2), "a ServerHello"
            session = hello[38]
            assert hello[39 + session + 2] == 0, "compression_method: null"
            await leave((reader, writer))

    run(loop, scene)


@LOOPS
def test_nobody_negotiates_anew(loop: Loop, pair: SelfSignedPair) -> None:
    """RFC 9325 §3.5: it costs the server much more than the client."""

    async def scene() -> None:
        async with listening(Certificates(settings(pair))) as port:
            client = await asyncio.create_subprocess_exec(
                *("openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{port}"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(b"echo this\n")
            await client.stdout.readuntil(b"\necho this\n")
            client.stdin.write(b"R\n")  # its word for a new handshake
            said = await client.stdout.read()
            assert b"RENEGOTIATING" in said
            assert b"no renegotiation" in said
            assert await client.wait() != 0

    run(loop, scene)


class TestPairsThatDoNotStart:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(CertificateError, match=r"cannot be read .* let `malleposte init` make"):
            Certificates(TlsSettings(tmp_path / "c", tmp_path / "k"))

    def test_key_of_another(self, pair: SelfSignedPair, tmp_path: Path) -> None:
        other = self_signed_pair(tmp_path / "other", "localhost")
        with pytest.raises(CertificateError, match="does not belong"):
            Certificates(TlsSettings(pair.certificate, other.key))

    def test_key_with_a_passphrase(self, pair: SelfSignedPair) -> None:
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        with pytest.raises(CertificateError, match="has a passphrase"):
            Certificates(settings(pair))

    def test_not_a_key(self, pair: SelfSignedPair) -> None:
        pair.key.write_text("nonsense")
        with pytest.raises(CertificateError, match="not a usable pair"):
            Certificates(settings(pair))

    def test_a_device(self, pair: SelfSignedPair) -> None:
        with pytest.raises(CertificateError, match="longer than"):
            Certificates(TlsSettings(Path("/dev/zero"), pair.key))


def test_a_first_pair_may_come_later(tmp_path: Path) -> None:
    """What is wrong is said once; what comes is taken like a change."""
    folder = tmp_path / "tls"
    waiting = TlsSettings(folder / "server.pem", folder / "server.key")
    with capture_logs() as logs:
        certificates = Certificates(waiting, later=True)
        with pytest.raises(CertificateError, match="cannot be read"):
            _ = certificates.facts
        looks = [certificates.look(), certificates.look()]
        folder.mkdir()
        waiting.certificate.write_bytes(b"half of a file")
        waiting.key.write_bytes(b"")
        looks += [certificates.look(), certificates.ready]
        shutil.rmtree(folder)
        self_signed_pair(folder, "mail.example.org")
        looks += [certificates.look(), certificates.ready]
    assert looks == [False, False, False, False, True, True]
    assert "mail.example.org" in certificates.facts.names
    assert [log["event"] for log in logs] == [
        "no certificate: TLS is not offered until there is one",
        "there is still no usable certificate",
        "new certificate taken",
    ]
