"""Airflow's own checks for the pages: who is logged in, who may see a run, who may stop it."""

import hmac
from collections.abc import Collection
from functools import cache
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.tokens import get_signing_key
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, HTTPException, Request

from holdfast.web.access import Require, Visitor

# The same that Airflow wants of who looks at a DAG run, and of who marks one failed.
_READ = requires_access_dag("GET", DagAccessEntity.RUN)
_STOP = requires_access_dag("PUT", DagAccessEntity.RUN)


def require() -> Require:
    """Give the checks; each takes the person from Airflow's cookie or bearer token."""
    return Require(
        login=_visitor, read=_reader, stop=_stopper, login_page=_login_page, secret=_secret
    )


def _visitor(request: Request, user: Annotated[BaseUser, Depends(get_user)]) -> Visitor:
    def readable(suites: Collection[str]) -> Collection[str]:
        """Of a suite that is no DAG any more, whoever may see any DAG sees what it left."""
        manager = get_auth_manager()
        may_see: set[str] = manager.get_authorized_dag_ids(user=user, method="GET")
        return {s for s in suites if s in may_see or manager.is_authorized_dag(
            method="GET", user=user, details=DagDetails(id=s))}

    def may_stop(suite: str) -> bool:
        check: Any = requires_access_dag("PUT", DagAccessEntity.RUN, param_dag_id=suite)
        try:
            check(request, user)
        except HTTPException:
            return False
        return True

    return Visitor(user.get_name(), readable, may_stop)


def _reader(
    visitor: Annotated[Visitor, Depends(_visitor)], _: Annotated[None, Depends(_READ)]
) -> Visitor:
    return visitor


def _stopper(
    visitor: Annotated[Visitor, Depends(_visitor)], _: Annotated[None, Depends(_STOP)]
) -> Visitor:
    return visitor


def _login_page(address: str) -> str:
    return str(get_auth_manager().get_url_login(next_url=address))


@cache
def _secret() -> bytes:
    """From the key that signs Airflow's own pages; the key itself is used for nothing else."""
    key = get_signing_key("api", "secret_key")
    return hmac.new(key.encode(), b"holdfast pages", "sha256").digest()
