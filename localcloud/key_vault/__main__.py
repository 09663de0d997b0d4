"""Serves the vault over https and the managed identity over http: `python -m localcloud.key_vault --home HOME`."""

import argparse
import asyncio
from pathlib import Path

import uvicorn

from localcloud.home import Home
from localcloud.key_vault.identity import create_identity
from localcloud.key_vault.secret_store import STORAGE_KEY_SECRET, NewSecret, SecretStore
from localcloud.key_vault.tokens import Tokens
from localcloud.key_vault.vault import create_vault
from localcloud.ports import HOST

# A client that keeps its connection open must not keep the server from stopping.
_GOODBYE_SECONDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    asyncio.run(_serve(Home(parser.parse_args().home)))


async def _serve(home: Home) -> None:
    """Runs both servers until one of them ends, so that neither is ever up alone."""
    tokens = Tokens(home.secret("identity-signing-key"))
    vault = create_vault(_open_store(home), tokens, home.port("key-vault"))
    identity = create_identity(tokens, home.secret("identity-header"))
    servers = [
        uvicorn.Server(
            uvicorn.Config(
                vault,
                host=HOST,
                port=home.port("key-vault"),
                ssl_certfile=home.tls / "server.pem",
                ssl_keyfile=home.tls / "server.key",
                timeout_graceful_shutdown=_GOODBYE_SECONDS,
            )
        ),
        uvicorn.Server(
            uvicorn.Config(identity, host=HOST, port=home.port("identity"), timeout_graceful_shutdown=_GOODBYE_SECONDS)
        ),
    ]
    running = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)


def _open_store(home: Home) -> SecretStore:
    """The vault's secrets; a new vault holds the storage account's key, one that was changed there is left alone."""
    store = SecretStore(home.data("key-vault") / "secrets.json")
    if store.find(STORAGE_KEY_SECRET) is None:
        store.set(STORAGE_KEY_SECRET, NewSecret(value=home.secret("storage-key")))
    return store


if __name__ == "__main__":
    main()
