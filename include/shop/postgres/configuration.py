"""The configuration of a node: what both share, and what is each node's own."""

from pathlib import Path

from shop.files import write
from shop.postgres.rights import hand_over
from shop.settled import HOST, USER, Settled, other

_SHARED = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
jit = off
max_parallel_workers = 0
password_encryption = scram-sha-256
wal_level = replica
max_wal_senders = 6
max_replication_slots = 6
max_slot_wal_keep_size = 256MB
wal_keep_size = 128MB
max_wal_size = 256MB
hot_standby = on
wal_receiver_status_interval = 1s
# Without these three replication takes 5 s to come back and a minute to notice a dead peer.
wal_retrieve_retry_interval = 500ms
wal_receiver_timeout = 5s
wal_sender_timeout = 5s
tcp_keepalives_idle = 5
log_min_messages = warning
"""
_ACCESS = """\
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


def slot(node: str) -> str:
    """The replication slot that keeps a standby's WAL for it."""
    return f"node_{node}"


def source(shop: Settled, node: str, database: str = "postgres") -> str:
    """How a node reaches the other one; the password is in the password file, not here."""
    return (
        f"host={HOST} port={shop.node_port(other(node))} user={USER} dbname={database} "
        f"application_name=node_{node} passfile={shop.places.passwords} "
        "sslmode=disable gssencmode=disable connect_timeout=2"
    )


def write_configuration(shop: Settled, node: str, standby: bool) -> None:
    """Write a node's files whole: initdb, pg_basebackup and pg_rewind leave the other node's."""
    folder = shop.places.data(node)
    own = {"port": str(shop.node_port(node)), "cluster_name": f"node_{node}"}
    if standby:
        own |= {"primary_conninfo": source(shop, node), "primary_slot_name": slot(node)}
        if shop.synchronous:  # promoted, it waits for the other one from its first commit on
            own["synchronous_standby_names"] = slot(other(node))
    files = {
        "postgresql.conf": _SHARED,
        "pg_hba.conf": _ACCESS,
        "postgresql.auto.conf": "".join(f"{key} = '{value}'\n" for key, value in own.items()),
    }
    if standby:
        files["standby.signal"] = ""
    else:
        (folder / "standby.signal").unlink(missing_ok=True)
    for name, text in files.items():
        write(folder / name, text, mode=0o600)
        hand_over([folder / name])


def is_standby(folder: Path) -> bool:
    """Whether the node would start as a standby, or runs as one: promotion removes the signal."""
    return (folder / "standby.signal").exists()


def is_complete(folder: Path) -> bool:
    """Whether there is a database in this folder at all."""
    return (folder / "PG_VERSION").exists()
