"""Cleaning: which training pairs are left out, and how many for which reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from nmt_lstm.config.schema import CleaningSettings
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.corpus import Side, read_parallel

__all__ = ["CleaningReport", "PairCleaner", "PairSet", "pair_digest", "pair_digests"]

# Ratios of shorter sentences mean nothing: "Yes" may have four pieces in the other language.
MIN_RATED_LENGTH = 10


def pair_digest(source: str, target: str) -> bytes:
    """Return a digest of a pair that ignores differences in white space."""
    text = "\n".join(" ".join(side.split()) for side in (source, target))
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def pair_digests(source: Side, target: Side | None) -> frozenset[bytes]:
    """Return the digests of all pairs of line-aligned files.

    Raises:
        DataError: a file cannot be read, or they differ in length.
    """
    return frozenset(pair_digest(*pair) for pair in read_parallel(source, target))


class PairSet:
    """Pairs that are looked for in a text, such as those of the validation text; differences in white space are ignored.

    Args:
        pairs: a few of them.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._digests: set[bytes] = set()
        self._beginnings: set[tuple[str, ...]] = set()
        for source, target in pairs:
            self._digests.add(pair_digest(source, target))
            self._beginnings.add(_beginning(source))

    def __bool__(self) -> bool:
        return bool(self._digests)

    def digest_of(self, source: str, target: str) -> bytes | None:
        """Return the digest of a pair; None if it is not in this set."""
        # Most pairs of a text begin with different words, and a digest costs much more than looking at them.
        if _beginning(source) not in self._beginnings:
            return None
        digest = pair_digest(source, target)
        return digest if digest in self._digests else None

    def holds(self, source: str, target: str) -> bool:
        """Whether a pair is in this set."""
        return bool(self._digests) and self.digest_of(source, target) is not None


def _beginning(line: str) -> tuple[str, ...]:
    return tuple(line.split(None, 3)[:3])


@dataclass
class CleaningReport:
    """Numbers of pairs that were read, kept, and left out by each rule."""

    read: int = 0
    kept: int = 0
    left_out: dict[str, int] = field(
        default_factory=lambda: {"empty": 0, "too long": 0, "ratio": 0, "duplicate": 0}
    )

    @classmethod
    def total(cls, reports: Iterable[CleaningReport]) -> CleaningReport:
        """Return the sum of reports."""
        total = cls()
        for report in reports:
            total.read += report.read
            total.kept += report.kept
            for reason, count in report.left_out.items():
                total.left_out[reason] = total.left_out.get(reason, 0) + count
        return total

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out."""
        return self.kept == self.read

    def describe(self, what: str = "training pair") -> str:
        """Return a summary on one line; `what` was read."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items() if count)
        left_out = f"; left out: {reasons}" if reasons else ""
        return f"{count_of(self.read, what)} read, {self.kept:,} kept{left_out}"


class PairCleaner:
    """Decides which pairs are kept, and counts them. Duplicates are found later (`nmt_lstm.text.duplicates`).

    Args:
        settings: the rules.
        excluded: pairs that are left out regardless of the rules.
    """

    def __init__(self, settings: CleaningSettings, *, excluded: PairSet | None = None) -> None:
        self.settings = settings
        self.excluded = excluded or PairSet()
        self.report = CleaningReport()

    def keeps(self, source: str, target: str, source_pieces: int, target_pieces: int) -> bool:
        """Return whether to keep a pair that has these numbers of pieces."""
        self.report.read += 1
        reason = ""
        if self.excluded.holds(source, target):
            reason = "in the validation text"
        elif self.settings.enabled:
            reason = self._reason(source, target, source_pieces, target_pieces)
        if reason:
            self.report.left_out[reason] = self.report.left_out.get(reason, 0) + 1
        else:
            self.report.kept += 1
        return not reason

    def _reason(self, source: str, target: str, source_pieces: int, target_pieces: int) -> str:
        rules = self.settings
        shorter, longer = sorted((source_pieces, target_pieces))
        # A line of control characters is not blank for Python, but has no pieces; a line of U+3000 is the opposite.
        if rules.drop_empty and not (source.strip() and target.strip() and shorter):
            return "empty"
        if longer > rules.max_pieces:
            return "too long"
        if rules.max_ratio and longer >= MIN_RATED_LENGTH and longer > rules.max_ratio * shorter:
            return "ratio"
        return ""
