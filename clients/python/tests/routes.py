"""For every route of the API the call that requests it, or the reason why there is none.

Run with the routes, one `METHOD /path/{parameter}` a line, on standard input: prints what is wrong, and exits with 1.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any, Callable, Dict, List, Tuple
from unittest import mock

from pipeline import AsyncPipelineCloud, PipelineCloud

SESSION = "needs the session of a browser; a program has a token"
BROWSER = "a page, or an address to which a browser is sent"
NO_CODE = "refused by the server"

EXCLUDED: Dict[str, str] = {
    **dict.fromkeys(
        (
            "POST /v2/auth/login,GET /v2/auth/session,POST /v2/auth/logout,GET /v2/auth/sessions,"
            "DELETE /v2/auth/sessions/{id},POST /v2/auth/verify-email/send,POST /v2/auth/email,POST /v2/auth/password,"
            "POST /v2/auth/confirm,POST /v2/auth/delete-account,POST /v2/auth/two-factor,POST /v2/auth/two-factor/confirm,"
            "GET /v2/auth/two-factor/recovery-codes,POST /v2/auth/two-factor/recovery-codes,"
            "POST /v2/auth/two-factor/disable,POST /v2/auth/oauth-code,GET /v2/auth/identities,POST /v2/auth/identities,"
            "DELETE /v2/auth/identities/{id},PATCH /v2/users/me,POST /v2/projects,GET /v2/invitations,"
            "POST /v2/invitations/{id}/accept,POST /v2/invitations/{id}/decline"
        ).split(","),
        SESSION,
    ),
    **dict.fromkeys(
        (
            "GET /v2/auth/set-up,GET /v2/auth/verify-email,GET /v2/auth/change-email,GET /v2/auth/reset-password,"
            "GET /v2/auth/oauth/{provider},GET /v2/auth/oauth/{provider}/callback,GET /v2/auth/oauth-code,"
            "GET /v2/auth/signed-in,GET /v2/auth/linked"
        ).split(","),
        BROWSER,
    ),
    **dict.fromkeys(
        (
            "POST /v2/pipelines,POST /v2/environments,PATCH /v2/environments/{id},DELETE /v2/environments/{id},"
            "POST /v2/functions,POST /v2/models,POST /v2/pipeline-files/initiate-multipart-upload,"
            "POST /v2/pipeline-files/presigned-url,POST /v2/pipeline-files/finalise-multipart-upload,"
            "GET /v2/environments,GET /v2/environments/by-name/{name},GET /v2/environments/{id}"
        ).split(","),
        NO_CODE + "; the one environment exists for clients of 2022",
    ),
    "GET /v2/status": "for clients of 2022; server.get answers more",
    "GET /v2/admin/backup": "a file of the store: gptj admin backup writes it",
    "GET /v2/admin/models/pulls/{id}/events": "for dashboards; models.get_pull answers the same",
    "POST /v2/billing/stripe-webhook": "for the payment provider",
}

#: Roots of other APIs, whose clients are the official ones, of documentation and of monitoring.
OTHER_ROOTS = re.compile(r"(?!/v2/|/readyz)")

CALLS: Dict[str, Callable[[Any], Any]] = {
    "POST /v2/runs": lambda api: api.run_pipeline("p", ["x", {}]),
    "GET /v2/runs": lambda api: api.get_runs(),
    "POST /v2/runs/check": lambda api: api.check_run("p", ["x", {}]),
    "GET /v2/runs/{id}": lambda api: api.get_run("x"),
    "DELETE /v2/runs/{id}": lambda api: api.delete_run("x"),
    "GET /v2/runs/{id}/input": lambda api: api.get_run_input("x"),
    "GET /v2/events": lambda api: _first(api.changes()),
    "GET /v2/runs/{id}/events": lambda api: _first(api.follow_run("x")),
    "POST /v2/runs/{id}/cancel": lambda api: api.cancel_run("x"),
    "POST /v2/tokenize": lambda api: api.tokenize("x"),
    "POST /v2/detokenize": lambda api: api.detokenize([1]),
    "POST /v2/files": lambda api: api.files.upload("x", b"x"),
    "GET /v2/files/{id}": lambda api: api.files.get("x"),
    "DELETE /v2/files/{id}": lambda api: api.files.delete("x"),
    "POST /v2/data": lambda api: api.data.create("x", b"x"),
    "GET /v2/data/{id}": lambda api: api.data.get("x"),
    "DELETE /v2/data/{id}": lambda api: api.data.delete("x"),
    "GET /v2/pipelines": lambda api: api.pipelines.list(),
    "GET /v2/pipelines/{id}": lambda api: api.pipelines.get("x"),
    "POST /v2/pipeline-tags": lambda api: api.tags.create("a:b", "x"),
    "GET /v2/pipeline-tags": lambda api: api.tags.list(),
    "GET /v2/pipeline-tags/by-name/{name}": lambda api: api.tags.get_by_name("x"),
    "PATCH /v2/pipeline-tags/{id}": lambda api: api.tags.move("x", "y"),
    "DELETE /v2/pipeline-tags/{id}": lambda api: api.tags.delete("x"),
    "POST /v2/presets": lambda api: api.presets.create("x", {}),
    "GET /v2/presets": lambda api: api.presets.list(),
    "GET /v2/presets/{id}": lambda api: api.presets.get("x"),
    "PATCH /v2/presets/{id}": lambda api: api.presets.change("x", name="y"),
    "DELETE /v2/presets/{id}": lambda api: api.presets.delete("x"),
    "POST /v2/evaluations": lambda api: api.evaluations.create({}),
    "GET /v2/evaluations": lambda api: api.evaluations.list(),
    "GET /v2/evaluations/{id}": lambda api: api.evaluations.get("x"),
    "DELETE /v2/evaluations/{id}": lambda api: api.evaluations.delete("x"),
    "POST /v2/evaluations/{id}/documents": lambda api: api.evaluations.add_documents("x", 0, []),
    "GET /v2/evaluations/{id}/documents": lambda api: api.evaluations.documents("x"),
    "GET /v2/evaluations/{id}/comparison": lambda api: api.evaluations.compare("x", "y"),
    "GET /v2/evaluations/{id}/comparison/documents": lambda api: api.evaluations.changes("x", "y"),
    "POST /v2/webhooks": lambda api: api.webhooks.create("http://x"),
    "GET /v2/webhooks": lambda api: api.webhooks.list(),
    "GET /v2/webhooks/{id}": lambda api: api.webhooks.get("x"),
    "PATCH /v2/webhooks/{id}": lambda api: api.webhooks.change("x", is_enabled=True),
    "DELETE /v2/webhooks/{id}": lambda api: api.webhooks.delete("x"),
    "GET /v2/webhooks/{id}/deliveries": lambda api: api.webhooks.deliveries("x"),
    "POST /v2/webhooks/{id}/deliveries/{delivery}/replay": lambda api: api.webhooks.replay("x", "y"),
    "POST /v2/webhooks/{id}/test": lambda api: api.webhooks.test("x"),
    "POST /v2/webhooks/{id}/rotate-secret": lambda api: api.webhooks.rotate_secret("x"),
    "GET /v2/metrics/runs": lambda api: api.metrics.runs(),
    "GET /v2/metrics/pipelines": lambda api: api.metrics.pipelines(),
    "GET /v2/metrics/compute": lambda api: api.metrics.compute(),
    "GET /v2/metrics/latency": lambda api: api.metrics.latency(),
    "GET /v2/metrics/errors": lambda api: api.metrics.errors(),
    "GET /v2/metrics/hardware": lambda api: api.metrics.hardware(),
    "GET /v2/plans": lambda api: api.plans.list(),
    "POST /v2/plans/reload": lambda api: api.plans.reload(),
    "POST /v2/plan": lambda api: api.plans.change("x"),
    "GET /v2/usage": lambda api: api.usage.get(),
    "GET /v2/usage.csv": lambda api: api.usage.csv(),
    "GET /v2/storage": lambda api: api.usage.storage(),
    "GET /v2/invoice-preview": lambda api: api.usage.preview_invoice(),
    "GET /v2/limits": lambda api: api.usage.limits(),
    "POST /v2/auth/register": lambda api: api.auth.register("x", "y", "z"),
    "POST /v2/auth/set-up": lambda api: api.auth.set_up("x", "y", "z", "p"),
    "POST /v2/auth/verify-email": lambda api: api.auth.verify_email("x", "p"),
    "POST /v2/auth/change-email": lambda api: api.auth.confirm_email("x", "p"),
    "POST /v2/auth/forgot-password": lambda api: api.auth.forgot_password("x"),
    "POST /v2/auth/reset-password": lambda api: api.auth.reset_password("x", "p"),
    "GET /v2/auth/oauth": lambda api: api.auth.providers(),
    "GET /v2/users/me": lambda api: api.authenticate(),
    "GET /v2/users": lambda api: api.users.list(),
    "GET /v2/users/{id}": lambda api: api.users.get("x"),
    "PATCH /v2/users/{id}": lambda api: api.users.change("x", disabled=True),
    "DELETE /v2/users/{id}": lambda api: api.users.delete("x"),
    "GET /v2/audit-log": lambda api: api.admin.audit_log(),
    "POST /v2/tokens": lambda api: api.tokens.create("x"),
    "GET /v2/tokens": lambda api: api.tokens.list(),
    "GET /v2/tokens/{id}": lambda api: api.tokens.get("x"),
    "PATCH /v2/tokens/{id}": lambda api: api.tokens.change("x", name="y"),
    "DELETE /v2/tokens/{id}": lambda api: api.tokens.delete("x"),
    "POST /v2/tokens/{id}/rotate": lambda api: api.tokens.rotate("x"),
    "GET /v2/projects": lambda api: api.projects.list(),
    "GET /v2/projects/{id}": lambda api: api.projects.get("x"),
    "PATCH /v2/projects/{id}": lambda api: api.projects.rename("x", "y"),
    "DELETE /v2/projects/{id}": lambda api: api.projects.delete("x"),
    "GET /v2/projects/{id}/audit-log": lambda api: api.projects.audit_log("x"),
    "GET /v2/projects/{id}/members": lambda api: api.projects.members("x"),
    "POST /v2/projects/{id}/members": lambda api: api.projects.invite("x", username="y"),
    "DELETE /v2/projects/{id}/members/{user}": lambda api: api.projects.remove_member("x", "y"),
    "GET /v2/projects/{id}/invitations": lambda api: api.projects.invitations("x"),
    "POST /v2/projects/{id}/invitations": lambda api: api.projects.invite("x", email="y"),
    "DELETE /v2/projects/{id}/invitations/{invitation}": lambda api: api.projects.withdraw_invitation("x", "y"),
    "GET /v2/engine": lambda api: api.server.engine(),
    "GET /v2/server": lambda api: api.server.get(),
    "GET /readyz": lambda api: api.server.is_ready(),
    "GET /v2/admin/overview": lambda api: api.admin.overview(),
    "GET /v2/admin/runs": lambda api: api.admin.queue(),
    "POST /v2/admin/runs/{id}/cancel": lambda api: api.admin.cancel_run("x"),
    "PATCH /v2/admin/maintenance": lambda api: api.admin.set_maintenance(False),
    "GET /v2/admin/models": lambda api: api.models.list(),
    "DELETE /v2/admin/models/{name}": lambda api: api.models.delete("x"),
    "GET /v2/admin/models/served": lambda api: api.models.served(),
    "POST /v2/admin/models/served": lambda api: api.models.serve("x"),
    "DELETE /v2/admin/models/served/{name}": lambda api: api.models.stop_serving("x"),
    "POST /v2/admin/models/pulls": lambda api: api.models.pull("gpt-j-6b"),
    "GET /v2/admin/models/pulls": lambda api: api.models.pulls(),
    "GET /v2/admin/models/pulls/{id}": lambda api: api.models.get_pull("x"),
    "POST /v2/admin/models/pulls/{id}/cancel": lambda api: api.models.cancel_pull("x"),
}


class Sent(Exception):
    """Ends a call when its request is about to be sent."""


def _first(items: Any) -> Any:
    """The first of an iterable, of either kind."""
    return next(items) if hasattr(items, "__next__") else items.__anext__()


def _requested(call: Callable[[Any], Any], api: Any, transport: str) -> Tuple[str, str]:
    """Method and path of the first request of a call."""
    seen: List[Tuple[str, str]] = []

    def record(_: Any, method: str, path: str, *rest: Any) -> None:
        seen.append((method, path.split("?")[0]))
        raise Sent

    try:
        with mock.patch(transport, record):
            result = call(api)
            if asyncio.iscoroutine(result) or hasattr(result, "__await__"):
                asyncio.run(_awaited(result))
    except Sent:
        return seen[0]
    raise AssertionError("the call has sent nothing")


async def _awaited(result: Any) -> None:
    await result


def problems(routes: List[str]) -> List[str]:
    """What is wrong with the tables of this file."""
    found = [f"{route}: has no call and no reason" for route in routes if not _is_known(route)]
    found += [f"{route}: is no route of the API" for route in (*CALLS, *EXCLUDED) if route not in routes]
    clients = (
        (PipelineCloud("t", max_retries=0), "pipeline._transport.Transport._open"),
        (AsyncPipelineCloud("t", max_retries=0), "pipeline._async_transport.AsyncTransport._open"),
    )
    for route, call in CALLS.items():
        for api, transport in clients:
            method, path = _requested(call, api, transport)
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route))
            if not re.fullmatch(pattern, f"{method} {path}"):
                found.append(f"{route}: the call of {type(api).__name__} requests {method} {path}")
    return found


def _is_known(route: str) -> bool:
    path = route.split(" ", 1)[1]
    return route in CALLS or route in EXCLUDED or OTHER_ROOTS.match(path) is not None


if __name__ == "__main__":
    wrong = problems(sys.stdin.read().splitlines())
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)
