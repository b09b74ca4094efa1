"""Result files: the hex digits of a pickle, as the 2022 clients exchange them.

A pickle can name any callable of this program, so every name in it is refused: only strings, numbers, lists and
dictionaries are loaded, and a server of this API writes nothing else.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from ._errors import UnexpectedReply


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise UnexpectedReply(f"the result names {module}.{name}; only plain data is loaded")

    def persistent_load(self, pid: Any) -> Any:
        raise UnexpectedReply("the result refers to an object outside itself; only plain data is loaded")


def bytes_of_hex(hex_text: Any) -> bytes:
    """The bytes of a file's `data`. Raises UnexpectedReply for anything but hex digits."""
    try:
        return bytes.fromhex(hex_text)
    except (TypeError, ValueError):
        raise UnexpectedReply("expected data of the file to be hex digits") from None


def load_result(hex_text: Any) -> Any:
    """The Python value of a result file's `data`. Raises UnexpectedReply for anything but a pickle of plain data."""
    if not isinstance(hex_text, str):
        raise UnexpectedReply("expected data of the result file to be a string")
    try:
        return _DataOnly(io.BytesIO(bytes.fromhex(hex_text))).load()
    except UnexpectedReply:
        raise
    except Exception as cause:  # a damaged pickle can raise nearly anything
        raise UnexpectedReply(f"the result file does not hold a pickle: {cause}") from cause
