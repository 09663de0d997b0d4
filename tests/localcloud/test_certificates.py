"""The home's servers are trusted by those who trust the home, and for loopback names only."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from localcloud import certificates
from localcloud.home import Home


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[int]:
    """A TLS server with the home's certificate; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.tls / "server.pem", home.tls / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1]


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(connection, server_side=True).close()
        except (ssl.SSLError, ConnectionError):
            connection.close()  # the client didn't trust it, which is what some tests are about


def _connect(port: int, name: str, authorities: str) -> None:
    context = ssl.create_default_context(cafile=authorities)
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=name):
        pass


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("bundle", ["ca.pem", "ca-bundle.pem"])
def test_its_server_is_trusted_by_both_names(home: Home, server: int, name: str, bundle: str) -> None:
    _connect(server, name, str(home.tls / bundle))


def test_its_server_is_not_trusted_under_another_name(home: Home, server: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _connect(server, "evil.example", str(home.tls / "ca.pem"))


def test_its_server_is_not_trusted_by_strangers(server: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate in certificate chain"):
        _connect(server, "localhost", certifi.where())


def test_public_authorities_are_still_trusted(home: Home) -> None:
    public, own = (ssl.create_default_context(cafile=str(home.tls / name)) for name in ("ca-bundle.pem", "ca.pem"))
    assert len(own.get_ca_certs()) == 1
    assert len(public.get_ca_certs()) > 100


def test_java_is_given_the_same_authority(home: Home) -> None:
    authority = x509.load_pem_x509_certificate((home.tls / "ca.pem").read_bytes())
    stored = pkcs12.load_pkcs12((home.tls / "truststore.p12").read_bytes(), None)
    assert [entry.certificate for entry in stored.additional_certs] == [authority]


def test_its_authority_may_vouch_for_loopback_names_only(home: Home) -> None:
    authority = x509.load_pem_x509_certificate((home.tls / "ca.pem").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(name.value) for name in constraints.value.permitted_subtrees or []] == ["localhost", "127.0.0.1/32"]


def test_its_authority_can_vouch_for_nothing_more(home: Home) -> None:
    """The one private key that is kept is the server's."""
    keys = [path for path in home.tls.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert keys == [home.tls / "server.key"]
    key = serialization.load_pem_private_key(keys[0].read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate((home.tls / "ca.pem").read_bytes())
    assert key.public_key() != authority.public_key()


def test_a_second_creation_changes_nothing(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.tls.iterdir()}
    certificates.create(home)
    assert {path: path.read_bytes() for path in home.tls.iterdir()} == before


def test_a_certificate_lasts_as_long_as_a_home_may(home: Home) -> None:
    served, authority = x509.load_pem_x509_certificates((home.tls / "server.pem").read_bytes())
    assert served.signature_hash_algorithm is not None
    assert served.signature_hash_algorithm.name == hashes.SHA256.name
    for certificate in (served, authority):
        assert certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > dt.timedelta(days=3640)
