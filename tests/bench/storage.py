"""Azurite as a process of its own, for as long as its standard input stays open; prints its URLs as JSON.

python -m tests.bench.storage DIRECTORY [as-it-comes]
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import jwt
from azure.core.credentials import AccessToken

from sandbox.storage.azurite import StoragePorts, azurite
from sandbox.tls.authority import Authority


class LocalCredential:
    """Tokens as Azurite takes them: it looks at their claims and at no signature."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """One token for everything."""
        now = int(time.time())
        claims = {
            "iat": now,
            "nbf": now - 60,
            "exp": now + 7200,
            "iss": "https://sts.windows.net/bench/",
            "aud": "https://storage.azure.com",
        }
        return AccessToken(jwt.encode(claims, "k" * 32, algorithm="HS256"), now + 7200)


async def _serve(directory: Path, *, as_it_comes: bool) -> None:
    authority = Authority.at(directory / "tls")
    async with azurite(authority, None, StoragePorts(), as_it_comes=as_it_comes) as running:
        told = {"blob": running.blob, "queue": running.queue, "table": running.table}
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), as_it_comes="as-it-comes" in sys.argv[2:]))
