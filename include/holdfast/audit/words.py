"""What stands in every bundle."""

from holdfast.evidence.policy import NONE, Policy

README = b"""Evidence of resilience tests, made by Holdfast.

Check it without trusting whoever gave it to you:

  python3 holdfast-verify.pyz BUNDLE.zip --trust TRUST --pin PIN

needs Python 3.11 and the package cryptography only, and no network. TRUST is a folder with the
files `policy` and `roles.json`; get it, and holdfast-verify.pyz, by another way than this bundle.
PIN is a file of your own: it keeps the last head of the log that you have seen. Exit code 0: all
checks pass.

With other tools:

  manifest.dsse.json   what is in the bundle: in-toto Statement v1 in a DSSE envelope
  log/checkpoint       the head of the log: C2SP tlog-checkpoint, a signed note
  log/tile/            the log's Merkle tree (RFC 6962): C2SP tlog-tiles
  entries/N.dsse.json  record N of the log: in-toto Statement v1 in a DSSE envelope (Ed25519)
  proofs/N.tlog-proof  that it is in the log: C2SP tlog-proof
  artifacts/DIGEST     a file of a run; signed results name it by its SHA-256
  catalogues/          the controls, and how tests are mapped to them
  report/              the audit report, and its tables
  oscal/               the same as NIST OSCAL 1.2.1: assessment plan, results, plan of action

The report supports evidence for controls. It does not say that any of them is met.
"""


def witnesses(policy: Policy) -> str:
    """Say who watches the log."""
    if policy.quorum == NONE:
        return "none: the log is watched by nobody but its readers (--pin)"
    return f"{policy.wanted()} must have signed its head"
