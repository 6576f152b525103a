"""The smallest suite there is."""

from holdfast.model.suite import Suite

SUITE = Suite.model_validate({
    "apiVersion": "holdfast/v1", "kind": "Suite", "metadata": {"name": "s", "owner": "o"},
    "target": {"environment": "e", "services": {"api": {"process": "x.pid"}}},
    "objectives": [{"name": "errors", "indicator": {"prometheus": "q"}, "objective": "< 1%"}],
    "rounds": [{"experiments": [{"name": "a", "hypothesis": "h",
                                 "fault": {"type": "noop", "target": "api", "duration": "5s"}}]}],
})
