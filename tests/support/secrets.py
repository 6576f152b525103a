"""Look for secrets where none may be: in every file of a deployment, and in every process."""

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

_LARGEST = 256 * 1024 * 1024


def secrets_of(home: Path) -> Mapping[str, bytes]:
    """Passwords of connections and people, and the signing key, by what they are."""
    connections = json.loads((home / "connections.json").read_text())
    people = json.loads((home / "airflow" / "passwords.json").read_text())
    found = {f"connection {name}": str(entry["password"]).encode()
             for name, entry in connections.items() if entry.get("password")}
    found |= {f"person {name}": str(word).encode() for name, word in people.items()}
    return found | {"key": (home / "keys" / "runner.pem").read_bytes().splitlines()[1]}


def files_with(secrets: Mapping[str, bytes], home: Path) -> Mapping[str, int]:
    """Every file that holds one of them, below `home`, with its mode."""
    return {
        str(file.relative_to(home)): stat.S_IMODE(file.stat().st_mode)
        for file in home.rglob("*")
        if file.is_file() and file.stat().st_size < _LARGEST
        and any(secret in file.read_bytes() for secret in secrets.values())
    }


def processes_with(secrets: Mapping[str, bytes]) -> Iterator[str]:
    """What processes show one of them in their arguments or their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        for shown in ("cmdline", "environ"):
            try:
                content = (process / shown).read_bytes()
            except OSError:
                continue  # it has ended, or is nobody's but the system's
            yield from (f"{shown} of {process.name}: {name}"
                        for name, secret in secrets.items() if secret in content)
