"""The clock that goes on as it was when somebody sets the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.flow.clock import SteadyClock

NOW = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)


class Hands:
    def __init__(self) -> None:
        self.wall, self.elapsed = NOW, 1000.0

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.elapsed += seconds


def test_it_runs_with_the_wall_clock_and_not_after_its_jumps() -> None:
    hands = Hands()
    clock = SteadyClock(lambda: hands.wall, lambda: hands.elapsed)
    hands.pass_(90)
    assert clock() == hands.wall
    hands.wall += timedelta(days=1)
    assert clock() == NOW + timedelta(seconds=90)
    assert clock.jump() == timedelta(days=1)
    clock.follow(clock.jump())
    assert clock() == hands.wall
    hands.wall -= timedelta(days=2)
    assert clock.jump() == timedelta(days=-2)


def test_by_itself_it_tells_the_time() -> None:
    assert abs(SteadyClock()() - datetime.now(UTC)) < timedelta(seconds=1)
