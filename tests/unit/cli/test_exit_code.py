import pytest

from cli.watches import exit_code
from shared.training.record import Outcome


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_exit_code(outcome: Outcome) -> None:
    assert exit_code([outcome]) == {"succeeded": 0, "failed": 3, "timedOut": 4}.get(outcome, 5)


def test_of_several_outcomes_the_first_of_failed_timed_out_and_any_other_counts() -> None:
    assert exit_code([Outcome.SUCCEEDED, Outcome.CANCELLED, Outcome.TIMED_OUT]) == 4
    assert exit_code([Outcome.NOT_FOUND, Outcome.FAILED, Outcome.TIMED_OUT]) == 3
    assert exit_code([Outcome.SUCCEEDED, Outcome.SUCCEEDED]) == 0
