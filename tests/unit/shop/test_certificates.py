"""The shop's own CA: its door is believed by who knows the authority, and by nobody else."""

import asyncio
import ssl
from pathlib import Path

import pytest

from shop.certificates import make
from shop.places import Places


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path)
    make(made)
    return made


async def _greeted(certificate: Path, client: ssl.SSLContext) -> bytes:
    async def greet(_reader, writer):
        writer.write(b"hello")
        writer.close()

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        told = await reader.read()
        writer.close()
        return told


def test_the_door_is_verified_by_its_address_and_the_authority(places):
    client = ssl.create_default_context(cafile=places.authority)
    assert b"hello" == asyncio.run(_greeted(places.certificate, client))


def test_who_does_not_know_the_authority_turns_away(places):
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(_greeted(places.certificate, ssl.create_default_context()))


def test_keys_are_for_their_owner_only(places):
    assert 0o700 == places.tls.stat().st_mode & 0o777
    assert {0o600} == {file.stat().st_mode & 0o777 for file in places.tls.iterdir()}
