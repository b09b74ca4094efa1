"""Tokens, users, projects, invitations, plans, usage and metrics."""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterable, List, Mapping, Optional

from ._async_exchange import AsyncExchange, at, confirmed, given
from ._moments import Moment, moment_text
from ._records import Page, Record

#: An argument with this value stays as it is; None is a value.
_KEEP: Any = ...


class AsyncTokens:
    """API tokens of the account. Every call needs a token with the scope `admin`.

    A token alone makes no token: to create, enable or rotate one also needs the password of its user, and the two-factor
    code where that is on.
    """

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(
        self,
        name: Optional[str] = None,
        *,
        scopes: Optional[Iterable[str]] = None,
        expires_at: Optional[Moment] = None,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Create a token; its `value` is complete in this reply only. Never retried.

        scopes: some of `run`, `read`, `write` and `admin`; default all but `admin`. expires_at: default never.
        """
        body = {"name": name, "scopes": None if scopes is None else list(scopes), "expires_at": moment_text(expires_at)}
        sent = {field: value for field, value in body.items() if value is not None}
        return await self._exchange.send("POST", "/v2/tokens", "value", Record, sent, confirmed(password, code))

    async def list(self, *, limit: int = 20, skip: int = 0, cursor: Optional[str] = None) -> Page[Record]:
        return await self._exchange.page("/v2/tokens", Record, limit=limit, skip=skip, cursor=cursor)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All tokens, page after page. limit is the number of one request."""
        return self._exchange.items("/v2/tokens", Record, limit=limit)

    async def get(self, token_id: str) -> Record:
        return await self._exchange.get(at("/v2/tokens", token_id), "id", Record)

    async def change(
        self,
        token_id: str,
        *,
        name: str = _KEEP,
        is_enabled: bool = _KEEP,
        expires_at: Optional[Moment] = _KEEP,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Change the fields of the arguments. expires_at: None is never."""
        expiry = expires_at if expires_at is _KEEP else moment_text(expires_at)
        body = given(name=name, is_enabled=is_enabled, expires_at=expiry)
        headers = confirmed(password, code)
        return await self._exchange.send("PATCH", at("/v2/tokens", token_id), "id", Record, body, headers)

    async def rotate(
        self,
        token_id: str,
        *,
        overlap_seconds: int = 0,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Give a token another value, which only this reply contains. Never retried.

        The present value is accepted for overlap_seconds more, at most a week. This client keeps the token that it was made
        with.
        """
        path = at("/v2/tokens", token_id, "rotate")
        body = {"overlap_seconds": overlap_seconds}
        return await self._exchange.send("POST", path, "value", Record, body, confirmed(password, code))

    async def delete(self, token_id: str) -> None:
        """Delete a token, which the server refuses from then on."""
        await self._exchange.delete(at("/v2/tokens", token_id))


class AsyncUsers:
    """The own account, and the accounts of the server for its owners."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def me(self) -> Record:
        """The account of the token."""
        return await self._exchange.get("/v2/users/me", "", Record)

    async def list(
        self,
        *,
        text: Optional[str] = None,
        role: Optional[str] = None,
        plan_id: Optional[str] = None,
        disabled: Optional[bool] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """Users of the server. text is a part of the address or of a name. For owners of the server, like all below."""
        query = {"q": text, "role": role, "plan_id": plan_id, "disabled": disabled, "cursor": cursor}
        return await self._exchange.page("/v2/users", Record, limit=limit, skip=skip, **query)

    def iter(
        self,
        *,
        text: Optional[str] = None,
        role: Optional[str] = None,
        plan_id: Optional[str] = None,
        disabled: Optional[bool] = None,
        limit: int = 100,
    ) -> AsyncIterator[Record]:
        """All of them, page after page."""
        query = {"q": text, "role": role, "plan_id": plan_id, "disabled": disabled}
        return self._exchange.items("/v2/users", Record, limit=limit, **query)

    async def get(self, user_id: str) -> Record:
        return await self._exchange.get(at("/v2/users", user_id), "id", Record)

    async def change(
        self,
        user_id: str,
        *,
        role: str = _KEEP,
        disabled: bool = _KEEP,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """role: `owner` or `member`. disabled: True ends the sessions of the account and refuses its tokens."""
        body = given(role=role, disabled=disabled)
        headers = confirmed(password, code)
        return await self._exchange.send("PATCH", at("/v2/users", user_id), "id", Record, body, headers)

    async def delete(self, user_id: str, *, password: Optional[str] = None, code: Optional[str] = None) -> None:
        """Delete an account with all its data."""
        await self._exchange.delete(at("/v2/users", user_id), confirmed(password, code))


class AsyncProjects:
    """Projects, their members, and invitations to them."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def list(self, *, limit: int = 20, skip: int = 0, cursor: Optional[str] = None) -> Page[Record]:
        return await self._exchange.page("/v2/projects", Record, limit=limit, skip=skip, cursor=cursor)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All projects, page after page."""
        return self._exchange.items("/v2/projects", Record, limit=limit)

    async def get(self, project_id: str) -> Record:
        return await self._exchange.get(at("/v2/projects", project_id), "id", Record)

    async def rename(self, project_id: str, name: str) -> Record:
        """For the owner of the project."""
        return await self._exchange.send("PATCH", at("/v2/projects", project_id), "id", Record, {"name": name})

    async def delete(self, project_id: str, *, password: Optional[str] = None, code: Optional[str] = None) -> None:
        """For the owner. Raises Conflict for a project with runs or data, and for the only one."""
        await self._exchange.delete(at("/v2/projects", project_id), confirmed(password, code))

    async def members(self, project_id: str) -> List[Record]:
        return await self._exchange.data(at("/v2/projects", project_id, "members"))

    async def remove_member(
        self, project_id: str, user_id: str, *, password: Optional[str] = None, code: Optional[str] = None
    ) -> None:
        """For the owner, or the member who leaves."""
        await self._exchange.delete(at("/v2/projects", project_id, "members", user_id), confirmed(password, code))

    async def invitations(self, project_id: str) -> List[Record]:
        """The open invitations to the project."""
        return await self._exchange.data(at("/v2/projects", project_id, "invitations"))

    async def invite(
        self,
        project_id: str,
        *,
        email: Optional[str] = None,
        username: Optional[str] = None,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Invite an address or a username; for the owner. `data` of the reply are the open invitations."""
        if (email is None) == (username is None):
            raise TypeError("expected either email or username")
        kind, body = ("invitations", {"email": email}) if username is None else ("members", {"username": username})
        path = at("/v2/projects", project_id, kind)
        return await self._exchange.send("POST", path, "data", Record, body, confirmed(password, code))

    async def withdraw_invitation(self, project_id: str, invitation_id: str) -> None:
        await self._exchange.delete(at("/v2/projects", project_id, "invitations", invitation_id))

    async def audit_log(
        self,
        project_id: str,
        *,
        user_id: Optional[str] = None,
        action: Optional[str] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """The changes in the project and who made them, newest first, for its owner."""
        query = {"user_id": user_id, "action": action, "limit": limit, "skip": skip, "cursor": cursor}
        return await self._exchange.page(at("/v2/projects", project_id, "audit-log"), Record, **query)

    def iter_audit_log(
        self, project_id: str, *, user_id: Optional[str] = None, action: Optional[str] = None, limit: int = 100
    ) -> AsyncIterator[Record]:
        """All of its entries, page after page."""
        path = at("/v2/projects", project_id, "audit-log")
        return self._exchange.items(path, Record, user_id=user_id, action=action, limit=limit)


class AsyncPlans:
    """The available plans, and changes of the plan."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def list(self) -> Record:
        """`plans`, the id of the `current` one, `currency`, and pending `requests`."""
        return await self._exchange.get("/v2/plans", "plans", Record)

    async def change(
        self,
        plan_id: str,
        *,
        user_id: Optional[str] = None,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Change the plan; `status` is `changed`, `requested` or `checkout`. Never retried.

        Needs the scope `admin`. Only owners of the server may pass user_id.
        """
        body: Mapping[str, Any] = {"plan_id": plan_id} if user_id is None else {"plan_id": plan_id, "user_id": user_id}
        return await self._exchange.send("POST", "/v2/plan", "status", Record, body, confirmed(password, code))

    async def reload(self) -> Record:
        """Read the file of plans again. For owners of the server."""
        return await self._exchange.send("POST", "/v2/plans/reload", "plans", Record)


class AsyncUsage:
    """Usage, storage and invoice previews. Days are `YYYY-MM-DD`, UTC."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def get(
        self,
        *,
        start: Optional[str] = None,
        end: Optional[str] = None,
        project_id: Optional[str] = None,
        group_by: Optional[str] = None,
        bucket: Optional[str] = None,
        top: Optional[int] = None,
    ) -> Record:
        """`rows` and their `total`, from day start to day end, both included; by default the month of end until today.

        group_by: `day`, `token`, `pipeline` or `project`. bucket: `hour` or `day`, with rows of their own for the `top`
        (20) of the group.
        """
        query = {"from": start, "to": end, "project_id": project_id, "group_by": group_by, "bucket": bucket, "top": top}
        return await self._exchange.get("/v2/usage", "rows", Record, **query)

    async def csv(
        self, *, start: Optional[str] = None, end: Optional[str] = None, project_id: Optional[str] = None
    ) -> str:
        """One line per day, project, token, pipeline and plan."""
        query = {"from": start, "to": end, "project_id": project_id}
        return await self._exchange.get_text("/v2/usage.csv", "text/csv", **query)

    async def storage(self) -> Record:
        """What the account of the project stores: `bytes` and `items`, each with `used` and `limit`, and `plan_id`."""
        return await self._exchange.get("/v2/storage", "bytes", Record)

    async def preview_invoice(self, *, month: Optional[str] = None, user_id: Optional[str] = None) -> Record:
        """The cost of a month (`YYYY-MM`, by default the current one). Owners of the server may pass user_id."""
        return await self._exchange.get("/v2/invoice-preview", "lines", Record, month=month, user_id=user_id)

    async def limits(self) -> Record:
        """What the account of the project has used of the limits of its plan.

        `day` and `month` have `used`, `limit`, `reserved` and `resets_at`; `running`, `requests`, `stored_bytes` and
        `stored_items` have `used` and `limit`. A limit of None is none.
        """
        return await self._exchange.get("/v2/limits", "day", Record)


class AsyncMetrics:
    """Metrics of the project's runs. By default those of the last day."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def runs(
        self,
        *,
        start: Optional[Moment] = None,
        end: Optional[Moment] = None,
        pipeline_id: Optional[str] = None,
        bucket_count: Optional[int] = None,
    ) -> Record:
        """Runs over time: `metrics_buckets`, `overall_bucket`, `preceding_bucket`. bucket_count: up to 1000, default 100."""
        query = _period(start, end, pipeline_id)
        return await self._exchange.get("/v2/metrics/runs", "overall_bucket", Record, bucket_count=bucket_count, **query)

    async def pipelines(
        self, *, start: Optional[Moment] = None, end: Optional[Moment] = None, pipeline_id: Optional[str] = None
    ) -> List[Record]:
        """One entry for each pipeline that was run."""
        return [Record(row) for row in await self._exchange.get_any("/v2/metrics/pipelines", **_period(start, end, pipeline_id))]

    async def compute(
        self, *, start: Optional[Moment] = None, end: Optional[Moment] = None, pipeline_id: Optional[str] = None
    ) -> Record:
        """Counts and milliseconds of computing, with their change to the period before."""
        return await self._exchange.get("/v2/metrics/compute", "run_count", Record, **_period(start, end, pipeline_id))

    async def hardware(
        self, *, start: Optional[Moment] = None, end: Optional[Moment] = None, pipeline_id: Optional[str] = None
    ) -> Any:
        """Runs by kind of resource."""
        return await self._exchange.get_any("/v2/metrics/hardware", **_period(start, end, pipeline_id))

    async def latency(
        self, *, start: Optional[Moment] = None, end: Optional[Moment] = None, bucket: Optional[str] = None
    ) -> Record:
        """Percentiles of times to the first evaluation, the first token and the end. bucket: `hour` (default) or `day`."""
        query = {"start": moment_text(start), "end": moment_text(end), "bucket": bucket}
        return await self._exchange.get("/v2/metrics/latency", "overall", Record, **query)

    async def errors(
        self, *, start: Optional[Moment] = None, end: Optional[Moment] = None, bucket: Optional[str] = None
    ) -> Record:
        """Failed runs and refused requests by the code of their error."""
        query = {"start": moment_text(start), "end": moment_text(end), "bucket": bucket}
        return await self._exchange.get("/v2/metrics/errors", "total", Record, **query)


def _period(start: Optional[Moment], end: Optional[Moment], pipeline_id: Optional[str]) -> Mapping[str, Optional[str]]:
    return {"start": moment_text(start), "end": moment_text(end), "pipeline_id": pipeline_id}
