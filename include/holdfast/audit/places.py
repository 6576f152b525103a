"""Where things are in a bundle."""

MANIFEST, CHECKPOINT, README = "manifest.dsse.json", "log/checkpoint", "README.txt"
ENTRIES, PROOFS, ARTEFACTS, REPORT, OSCAL = "entries/", "proofs/", "artifacts/", "report/", "oscal/"

REPORTS = ("index.html", "report.pdf", "controls.csv", "gaps.csv", "evidence.csv")
OSCALS = ("assessment-plan.json", "assessment-results.json", "poam.json")


def entry(index: int) -> str:
    """A record's envelope."""
    return f"{ENTRIES}{index:06}.dsse.json"


def proof(index: int) -> str:
    """The proof that it is in the log."""
    return f"{PROOFS}{index:06}.tlog-proof"


def artefact(digest: str) -> str:
    """A file of a run, by its SHA-256 in hex."""
    return f"{ARTEFACTS}{digest}"


def tile(path: str) -> str:
    """A tile of the log's tree."""
    return f"log/{path}"


def catalogue(name: str) -> str:
    """A table of controls, as it was in force."""
    return f"catalogues/{name}.tsv"
