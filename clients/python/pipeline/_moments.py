"""Points in time as the API reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Union

#: A date and time, or its ISO 8601 text. One without a zone is in local time.
Moment = Union[datetime, str]


def moment_text(moment: Optional[Moment]) -> Optional[str]:
    """ISO 8601 with a zone; None for None."""
    return moment.astimezone().isoformat() if isinstance(moment, datetime) else moment
