"""`holdfast witness`: watch that logs only grow. Best in other hands than the log's."""

import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.border import border, out
from holdfast.evidence.note import read_verifier
from holdfast.witness.server import server
from holdfast.witness.state import Witness

app = typer.Typer(help="Watch that logs only grow; best in other hands than the log's.",
                  no_args_is_help=True)


def _end(*_: object) -> None:
    raise KeyboardInterrupt


_Name = Annotated[str, typer.Option(help="such as witness.example/w1, a part of its signatures")]
_Folder = Annotated[Path, typer.Option(help="where its key and the heads it has signed are kept")]


@app.command()
def key(name: _Name, folder: _Folder) -> None:
    """Print the verifier key, for the policy of a log; the key is made if there is none."""
    with border():
        typer.echo(str(Witness(name, folder, {}).vkey()))


@app.command()
def serve(
    name: _Name, folder: _Folder,
    log: Annotated[list[str], typer.Option(metavar="VKEY", help="a log to watch; may be repeated")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 0,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
) -> None:
    """Sign the heads of these logs as long as each goes on from the last one signed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with border():
        logs = {found.name: found for found in map(read_verifier, log)}
        witness = Witness(name, folder, logs)
        typer.echo(f"key      {witness.vkey()}")
        listening = server(witness, port, host)
    signal.signal(signal.SIGTERM, _end)
    try:  # from before the address is told: whoever has read it may end this
        out.print(f"address  http://{host}:{listening.server_port}", markup=False)
        listening.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        listening.server_close()
