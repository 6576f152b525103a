"""What is asked of the evidence log. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Records in order of their numbers, after `after`; what is empty is not asked about.

    `suites` are those that the asker may see: records of others are not given. `kind` is such as
    `result`; `service`, `control` and `verdict` are of results that are not postponed; `since` and
    `until` are dates or times in ISO 8601, UTC.
    """

    suites: tuple[str, ...]
    run_id: str = ""
    suite: str = ""
    kind: str = ""
    service: str = ""
    control: str = ""
    verdict: str = ""
    since: str = ""
    until: str = ""
    after: int = -1
    limit: int = 100
