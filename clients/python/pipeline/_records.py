"""Replies of the server as dictionaries whose keys are attributes as well."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Optional, TypeVar

from ._errors import RunFailed, UnexpectedReply

_R = TypeVar("_R", bound="Record")


class Record(Dict[str, Any]):
    """A JSON object: record["name"] and record.name are the same, at every depth.

    A key that is also a method of dict (`items`, `keys`, …) is reached by record["items"] only.
    """

    __slots__ = ()

    #: Optional fields: as attributes they are None when absent.
    _optional: FrozenSet[str] = frozenset()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            if name in self._optional:
                return None
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self)}") from None


class Run(Record):
    """One run of a pipeline.

    A failed run is returned like a complete one, as in the original client: check run_state, or call raise_for_state().
    """

    __slots__ = ()
    _optional = frozenset(
        "started_at ended_at resource_type compute_time_ms blocking result result_preview error error_info "
        "compute_requirements warnings finish_reasons usage seed".split()
    )

    id: str
    created_at: Any
    #: `complete`, `failed`, or an earlier state.
    run_state: str
    runnable: Record
    data: Record
    #: The result as JSON: for GPT-J a list with the list of generated texts. None while running and on failure.
    result_preview: Optional[List[Any]]
    #: The result's file, for download_result().
    result: Optional[Record]
    #: Milliseconds of computing.
    compute_time_ms: Optional[int]
    error: Optional[str]
    #: `exception` and `traceback`, both strings.
    error_info: Optional[Record]
    #: Warnings about the result, mostly parameters without effect.
    warnings: Optional[List[str]]
    #: `prompt_tokens`, `generated_tokens`, `cached_tokens`, and `computed_tokens`, the cost.
    usage: Optional[Record]

    @property
    def has_ended(self) -> bool:
        """Whether the run is over: complete or failed."""
        return self.get("run_state") in ("complete", "failed")

    def raise_for_state(self) -> "Run":
        """Raise RunFailed for a failed run; return any other, for chaining."""
        if self.get("run_state") == "failed":
            raise RunFailed(self)
        return self


class Page(Record):
    """One page of a list."""

    __slots__ = ()

    skip: int
    limit: int
    #: Entries in the whole list.
    total: int
    data: List[Run]
    #: The cursor of the next page; None on the last one.
    next_cursor: Optional[str]


def record_of(kind: type[_R], body: Any, required: str) -> _R:
    """body as a record of that kind. Raises UnexpectedReply when it is not an object with that field."""
    if not isinstance(body, dict) or required not in body:
        raise UnexpectedReply(f"expected a JSON object with {required!r}; is url the address of a gptj-cloud server?")
    return kind(body)
