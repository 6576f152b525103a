"""The witness's address answers whatever it is sent."""

import socket
import threading

import pytest

from holdfast.witness.server import server
from holdfast.witness.state import Witness


@pytest.fixture
def address(tmp_path):
    """A witness that knows no log, on a free port."""
    made = server(Witness("w1", tmp_path, {}), 0)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made.server_address
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("size", ["", "-1", "x", "65537", "9" * 5000, "\u0663"])
def test_a_length_that_nobody_could_mean_is_refused(address, size):
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: "
                           + size.encode() + b"\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")
