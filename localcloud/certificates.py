"""The home's own certificate authority and the certificate that its servers show."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.home import Home, write_private

_LIFETIME = datetime.timedelta(days=3650)
_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
_NAMES: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(_LOOPBACK)]
_PERMITTED: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.IPv4Network("127.0.0.1/32")),
]


def create(home: Home) -> None:
    """Makes the authority, the servers' certificate and the trust stores, unless they are there.

    The authority's key is used once and never written, and the authority may vouch for loopback names only: whoever
    trusts it trusts these servers and nothing else.
    """
    if (home.tls / "ca-bundle.pem").exists():
        return
    authority_key, server_key = _private_key(), _private_key()
    authority = _authority(authority_key)
    server = _server(server_key.public_key(), authority, authority_key)
    write_private(home.tls / "server.key", _pem_key(server_key))
    write_private(home.tls / "server.pem", _pem(server) + _pem(authority))
    write_private(home.tls / "ca.pem", _pem(authority))
    write_private(home.tls / "truststore.p12", _java_truststore(authority))
    write_private(home.tls / "ca-bundle.pem", _system_bundle().read_bytes() + b"\n" + _pem(authority))


def _private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Local cloud authority")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.NameConstraints(_PERMITTED, None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePublicKey, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name("localhost"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _java_truststore(authority: x509.Certificate) -> bytes:
    trusted = pkcs12.PKCS12Certificate(authority, b"localcloud")
    return pkcs12.serialize_java_truststore([trusted], serialization.NoEncryption())


def _system_bundle() -> Path:
    """The authorities that OpenSSL trusts here, SSL_CERT_FILE included; certifi's where it knows of none."""
    return Path(ssl.get_default_verify_paths().cafile or certifi.where())
