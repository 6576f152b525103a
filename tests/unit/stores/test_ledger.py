"""What is special to a ledger that is a file."""

import pytest

from holdfast.errors import HoldfastError
from holdfast.stores.ledger import SqlLedger


def test_a_ledger_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "books.db").write_bytes(b"garbage " * 1000)
    with pytest.raises(HoldfastError, match="cannot be read"):
        SqlLedger(tmp_path / "books.db").postings()
