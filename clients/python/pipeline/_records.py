"""Replies of the server as dictionaries whose keys are attributes as well."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Generic, List, Optional, Type, TypeVar

from ._errors import PipelineError, RunFailed, UnexpectedReply

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
        "compute_requirements warnings finish_reasons usage seed timings cost token_id attempts result_preview_omitted".split()
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
    #: One for each returned sequence: `eos`, `length`, `stop` or `time`.
    finish_reasons: Optional[List[str]]
    #: The seed of a sampled result; None when nothing was sampled.
    seed: Optional[int]
    #: Milliseconds: `queued_ms`, `first_token_ms`, `compute_ms`.
    timings: Optional[Record]
    #: `amount`, a decimal text, and `currency`; None: nothing was charged.
    cost: Optional[Record]

    @property
    def texts(self) -> List[str]:
        """The texts of a complete run, one for each returned sequence.

        Raises RunFailed for a failed run, and PipelineError for one without a result in its preview: it has not ended, or
        its result is too large, and download_result has it.
        """
        self.raise_for_state()
        preview = self.get("result_preview")
        output = preview[0] if isinstance(preview, list) and preview else None
        texts = output.get("texts") if isinstance(output, dict) else output
        if isinstance(texts, list) and texts:
            return [str(text) for text in texts]
        reason = (
            "its result is too large for the reply; use download_result"
            if self.get("run_state") == "complete"
            else f"it is {self.get('run_state')}; use wait"
        )
        raise PipelineError(f"run {self.get('id')} has no texts here: {reason}")

    @property
    def text(self) -> str:
        """The first of `texts`."""
        return self.texts[0]

    @property
    def has_ended(self) -> bool:
        """Whether the run is over: complete or failed."""
        return self.get("run_state") in ("complete", "failed")

    def raise_for_state(self) -> "Run":
        """Raise RunFailed for a failed run; return any other, for chaining."""
        if self.get("run_state") == "failed":
            raise RunFailed(self)
        return self


class Page(Record, Generic[_R]):
    """One page of a list."""

    __slots__ = ()
    _optional = frozenset(("next_cursor",))

    skip: int
    limit: int
    #: Entries in the whole list.
    total: int
    data: List[_R]
    #: The cursor of the next page; None on the last one, and in lists without cursors.
    next_cursor: Optional[str]


def record_of(kind: Type[_R], body: Any, required: str) -> _R:
    """body as a record of that kind. Raises UnexpectedReply when it is not an object with that field (if one is named)."""
    if not isinstance(body, dict) or (required and required not in body):
        raise UnexpectedReply(f"expected a JSON object with {required!r}; is url the address of a gptj-cloud server?")
    return kind(body)


def page_of(kind: Type[_R], body: Record) -> "Page[_R]":
    """body as a page of records of that kind."""
    page: Page[_R] = Page(body)
    entries = body["data"] if isinstance(body["data"], list) else []
    page["data"] = [record_of(kind, entry, "") for entry in entries]
    return page
