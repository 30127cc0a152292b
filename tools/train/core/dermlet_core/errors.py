"""The one exception that the core and the classifier raise."""

from __future__ import annotations

from .contract import ERROR_CODES, ErrorCode


class DermletError(Exception):
    """`code` is stable: programs switch on it (contract.py has them all). The message is for people and may change.

    Can be pickled, so that it comes back whole from another process.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        if code not in ERROR_CODES:
            raise ValueError(f"{code!r} is no code of an error")
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
