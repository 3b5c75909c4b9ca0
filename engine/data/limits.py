"""How much of a file is read before it is refused.

Knows the numbers and why they are what they are. Does not know any format: each reader applies the limits it needs.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.settings import Settings

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits for one source, all inclusive."""

    max_file_bytes: int = 200 * MEGABYTE
    max_unpacked_bytes: int = 1024 * MEGABYTE  # of .gz, .zip, .xlsx and Parquet together with everything in them
    max_ratio: int = 200  # unpacked to packed; real tables of text stay below 30
    ratio_free_bytes: int = 10 * MEGABYTE  # small results may be as repetitive as they like
    max_members: int = 1000  # files in an archive
    max_rows: int = 1_000_000
    max_columns: int = 500
    max_cell_chars: int = 1_000_000

    @classmethod
    def from_settings(cls, settings: Settings) -> Limits:
        """The limits of a deployment. A public one unpacks less."""
        file_bytes = settings.max_upload_mb * MEGABYTE
        return cls(
            max_file_bytes=file_bytes,
            max_unpacked_bytes=(4 if settings.public else 8) * file_bytes,
            max_rows=settings.max_rows,
        )
