"""Types of values that several resources have."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]
"""A time with its offset from UTC (RFC 3339)."""
