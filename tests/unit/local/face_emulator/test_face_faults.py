"""Lots decide which request gets which faults."""

from local.face_emulator.faults import Cut, ErrorResponse, Hang, Lots


def test_a_rate_of_zero_is_never_and_one_is_always() -> None:
    always, never = ErrorResponse(rate=1), Hang(rate=0)
    lots = Lots([always, never])
    assert [lots.draw("any") for _ in range(100)] == [[always]] * 100


def test_a_rate_is_kept_on_the_whole() -> None:
    lots = Lots([ErrorResponse(rate=0.05)], seed=1)
    met = sum(bool(lots.draw("any")) for _ in range(10_000))
    assert 400 < met < 600


def test_the_same_seed_draws_the_same_lots() -> None:
    def draw(seed: int) -> list[int]:
        lots = Lots([ErrorResponse(rate=0.3), Cut(rate=0.3)], seed)
        return [len(lots.draw("any")) for _ in range(100)]

    assert draw(7) == draw(7) != draw(8)


def test_a_fault_is_of_the_operations_that_match() -> None:
    lots = Lots([ErrorResponse(operation="*.training")])
    assert lots.draw("largePersonGroup.training")
    assert not lots.draw("largePersonGroup.train")


def test_a_fault_ends_when_none_remain() -> None:
    lots = Lots([ErrorResponse(remaining=2)])
    assert [len(lots.draw("any")) for _ in range(4)] == [1, 1, 0, 0]


def test_other_operations_do_not_use_up_what_remains() -> None:
    lots = Lots([ErrorResponse(operation="a", remaining=1)])
    assert not lots.draw("b")
    assert lots.draw("a")
