"""`holdfast-verify.pyz`: check a bundle with nothing but Python and cryptography."""

import argparse
import io
import re
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.audit.verify import Options, as_json, said, verify_file
from holdfast.errors import EvidenceError

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
UNREADABLE, INTERNAL = 2, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, say what was found, give the exit code of docs/evidence.md."""
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a plain terminal ends nothing
    options = Options(given.trust, given.pin, given.period, given.require,
                      given.max_bundle_age, given.max_control_age)
    try:
        found = verify_file(given.bundle, options, datetime.now(UTC))  # noqa: TID251 - its own clock
    except EvidenceError as error:
        print(f"holdfast-verify: {error}", file=sys.stderr)
        return UNREADABLE
    except Exception:  # noqa: BLE001 - the border: whatever it is, it is neither 0 nor 1
        traceback.print_exc()
        return INTERNAL
    name = given.bundle.name
    print(as_json(found, name) if given.json else "\n".join(said(found, name)))
    return found.exit_code


def age(text: str) -> timedelta:
    """Read 30m, 24h or 90d."""
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no age: write 30m, 24h or 90d")
    return int(match[1]) * _UNITS[match[2]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast-verify", description="Check a bundle of evidence. No network.",
        epilog="exit codes: 0 all well, 1 changed, 2 not to be read, 3 incomplete, 4 stale or cut "
               "back, 5 trust not met, 6 a control without fresh evidence")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--trust", type=Path, help="folder with policy and roles.json")
    parser.add_argument("--pin", type=Path, help="file that keeps the last head seen")
    parser.add_argument("--period", default="", help="A..B, which the bundle must cover")
    parser.add_argument("--require", action="append", default=[], metavar="FRAMEWORK:ID")
    parser.add_argument("--max-bundle-age", type=age, help="such as 24h")
    parser.add_argument("--max-control-age", type=age, help="such as 90d")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
