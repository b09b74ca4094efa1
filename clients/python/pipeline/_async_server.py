"""The server as a whole: what it is, its engine, accounts without a session, and what its owners see."""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterable, List, Optional

from ._async_exchange import AsyncExchange, at
from ._errors import ServerError
from ._records import Page, Record


class AsyncServer:
    """What a server is and whether it takes runs. Public."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def get(self) -> Record:
        """Its `name`, `version`, `model`, `context`, `registration` and more."""
        return await self._exchange.get("/v2/server", "version", Record)

    async def engine(self, model: Optional[str] = None) -> Record:
        """A served model and the load of its engine. Needs the scope `read`.

        model: its name; default the one that requests without a name get.
        """
        return await self._exchange.get("/v2/engine", "model", Record, model=model)

    async def is_ready(self) -> bool:
        """Whether it takes runs now: False while it starts, ends or has no engine. Raises ConnectionFailed without a server."""
        try:
            await self._exchange.transport.exchange("GET", "/readyz")
        except ServerError as error:
            if error.status == 503:
                return False
            raise
        return True


class AsyncAuth:
    """Accounts, as far as they need no session: a program uses a token, a session belongs to a browser."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def register(self, email: str, username: str, password: str) -> Record:
        """The new user; without `id` while its address waits to be confirmed by the mailed link."""
        body = {"email": email, "username": username, "password": password}
        return await self._exchange.send("POST", "/v2/auth/register", "", Record, body)

    async def set_up(self, token: str, email: str, username: str, password: str) -> Record:
        """Create the first owner. token is the secret of the link that the first start prints."""
        body = {"token": token, "email": email, "username": username, "password": password}
        return await self._exchange.send("POST", "/v2/auth/set-up", "id", Record, body)

    async def verify_email(self, token: str, password: str) -> Record:
        """Confirm an address by the secret of the mailed link and the password of the account."""
        body = {"token": token, "password": password}
        return await self._exchange.send("POST", "/v2/auth/verify-email", "id", Record, body)

    async def confirm_email(self, token: str, password: str) -> Record:
        """Change to the address to which the link was sent."""
        body = {"token": token, "password": password}
        return await self._exchange.send("POST", "/v2/auth/change-email", "id", Record, body)

    async def forgot_password(self, email: str) -> None:
        """Request a link to set a new password."""
        await self._exchange.order("/v2/auth/forgot-password", {"email": email})

    async def reset_password(self, token: str, password: str, *, keep: Optional[Iterable[str]] = None) -> Record:
        """Set a new password by the secret of that link. `ended` counts what this has ended.

        keep: some of `tokens`, `identities`, `webhooks` and `members`, which do not end.
        """
        body: "dict[str, Any]" = {"token": token, "password": password}
        if keep is not None:
            body["keep"] = list(keep)
        return await self._exchange.send("POST", "/v2/auth/reset-password", "ended", Record, body)

    async def providers(self) -> List[str]:
        """Names of the providers that sign in."""
        return [str(provider["name"]) for provider in await self._exchange.data("/v2/auth/oauth")]


class AsyncAdmin:
    """The server, for its owners."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def overview(self) -> Record:
        """Users, open runs, webhooks, engine, store, disk, maintenance, and settings."""
        return await self._exchange.get("/v2/admin/overview", "users", Record)

    async def queue(self, *, limit: int = 20, skip: int = 0) -> Page[Record]:
        """The open runs of all projects: running ones first, then in the order of the queue."""
        return await self._exchange.page("/v2/admin/runs", Record, limit=limit, skip=skip)

    def iter_queue(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All of them, page after page."""
        return self._exchange.items("/v2/admin/runs", Record, limit=limit, skip=0)

    async def cancel_run(self, run_id: str) -> None:
        await self._exchange.order(at("/v2/admin/runs", run_id, "cancel"))

    async def set_maintenance(
        self, is_on: bool, *, message: Optional[str] = None, retry_after_seconds: Optional[int] = None
    ) -> Record:
        """Refuse new runs for a time, with a message for clients, or accept them again."""
        body = {"is_on": is_on, "message": message, "retry_after_seconds": retry_after_seconds}
        return await self._exchange.send("PATCH", "/v2/admin/maintenance", "is_on", Record, body)

    async def audit_log(
        self,
        *,
        user_id: Optional[str] = None,
        action: Optional[str] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """The changes on the server and who made them, newest first."""
        query = {"user_id": user_id, "action": action, "limit": limit, "skip": skip, "cursor": cursor}
        return await self._exchange.page("/v2/audit-log", Record, **query)

    def iter_audit_log(
        self, *, user_id: Optional[str] = None, action: Optional[str] = None, limit: int = 100
    ) -> AsyncIterator[Record]:
        """All of its entries, page after page."""
        return self._exchange.items("/v2/audit-log", Record, user_id=user_id, action=action, limit=limit)


class AsyncModels:
    """The models in the data folder of the server, and their downloads, for its owners."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def list(self) -> Record:
        """`data` has the stored models, `disk` the space that is left."""
        return await self._exchange.get("/v2/admin/models", "disk", Record)

    async def delete(self, name: str) -> None:
        """Delete `NAME` in all its types, or `NAME.TYPE`. Raises NotFound."""
        await self._exchange.delete(at("/v2/admin/models", name))

    async def served(self) -> Record:
        """`data` has the served models: `name`, `model`, `pipeline_id`, `from`, `state`, `reason` and more."""
        return await self._exchange.get("/v2/admin/models/served", "data", Record)

    async def serve(self, model: str, *, name: Optional[str] = None) -> Record:
        """Serve `NAME` or `NAME.TYPE` of the data folder, also after a restart.

        name: by which requests choose it; default its name in the data folder.
        """
        body = {"model": model, "name": name}
        return await self._exchange.send("POST", "/v2/admin/models/served", "state", Record, body)

    async def stop_serving(self, name: str) -> None:
        """Serve it no longer. Generations that have begun go on to their end. Raises NotFound."""
        await self._exchange.delete(at("/v2/admin/models/served", name))

    async def pull(self, source: str, *, name: Optional[str] = None, type: Optional[str] = None) -> Record:
        """Begin to download a model of the server's hub: `gpt-j-6b`, or `OWNER/NAME@REVISION`. One runs at a time.

        name: in the data folder. type: of the weights; default the most precise one that fits into the free memory.
        """
        body = {"from": source, "name": name, "type": type}
        return await self._exchange.send("POST", "/v2/admin/models/pulls", "state", Record, body)

    async def pulls(self) -> Record:
        """`data` has the downloads since the server started, the newest first."""
        return await self._exchange.get("/v2/admin/models/pulls", "data", Record)

    async def get_pull(self, pull_id: str) -> Record:
        """Its `state`, `phase`, `done_bytes`, `total_bytes`, `seconds_left` and more. Poll it to follow a download."""
        return await self._exchange.get(at("/v2/admin/models/pulls", pull_id), "state", Record)

    async def cancel_pull(self, pull_id: str) -> Record:
        """End it. What was downloaded is kept, and the same pull goes on there."""
        return await self._exchange.send("POST", at("/v2/admin/models/pulls", pull_id, "cancel"), "state", Record)
