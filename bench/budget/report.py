"""Say how the measured figures stand to their goals."""

from collections.abc import Iterator

import msgspec
from rich.table import Table

from bench.budget.cases import Beside, Told
from bench.budget.processes import Result as OfProcesses
from bench.budget.watches import Result as OfWatches

MAX_THROTTLED_SHARE = 0.01
MIN_USED_SHARE = 0.92
MAX_MESSAGES_A_POLL = 1.3
MAX_ROUNDS_UNPOLLED = 2.0
MAX_POLL_WAIT_SECONDS = 1.0


class Report(msgspec.Struct, frozen=True):
    """All figures of one run."""

    processes: dict[str, OfProcesses]  # by the number of processes
    watches: OfWatches  # the schedules follow the price
    watches_without_price: OfWatches  # more is asked for than the budget can give
    watches_beside_foreign_client: OfWatches
    told_to_wait: dict[str, list[Told]]  # by FACE_MAX_TPS
    beside_a_snapshot: Beside

    def missed(self) -> list[str]:
        """Return the goals that are missed, by name."""
        checks: dict[str, bool] = {}
        for name, result in self._alone().items():
            checks[f"throttled_share, {name}"] = result.throttled_share < MAX_THROTTLED_SHARE
            checks[f"used_share, {name}"] = result.used_share >= MIN_USED_SHARE
        for name, watched in self._watched().items():
            checks[f"longest_unpolled, {name}"] = watched.longest_unpolled <= MAX_ROUNDS_UNPOLLED
            if watched.foreign_throttled_share is None:
                checks[f"messages_a_poll, {name}"] = watched.messages_a_poll <= MAX_MESSAGES_A_POLL
        for max_tps, all_told in self.told_to_wait.items():
            for told in all_told:
                met = told.asked <= told.earliest and told.latest <= 1.5 * told.asked + 2
                checks[f"told_to_wait, {told.asked:g} s at {max_tps} calls a second"] = met
        checks["longest_wait, beside a snapshot"] = self.beside_a_snapshot.longest_wait <= MAX_POLL_WAIT_SECONDS
        return [name for name, met in checks.items() if not met]

    def tables(self) -> Iterator[Table]:
        """Yield the tables to print."""
        shares = Table("", "throttled", "used", title="shares of the calls, and of FACE_MAX_TPS", title_justify="left")
        for name, result in {**self._alone(), "beside a foreign client": self.watches_beside_foreign_client}.items():
            shares.add_row(name, f"{result.throttled_share:.4f}", f"{result.used_share:.3f}")
        yield shares
        watches = Table(
            "", "messages a poll", "longest unpolled (rounds)", "foreign client throttled", "table operations a call"
        )
        for name, watched in self._watched().items():
            foreign = watched.foreign_throttled_share
            watches.add_row(
                name,
                f"{watched.messages_a_poll:.2f}",
                f"{watched.longest_unpolled:.2f}",
                "" if foreign is None else f"{foreign:.4f}",
                f"{watched.table_operations_a_call:.1f}",
            )
        yield watches
        told = Table("FACE_MAX_TPS", "told to wait (s)", "called again after (s)")
        for max_tps, all_told in self.told_to_wait.items():
            for one in all_told:
                told.add_row(max_tps, f"{one.asked:g}", f"{one.earliest:.1f} to {one.latest:.1f}")
        yield told

    def _alone(self) -> dict[str, OfProcesses | OfWatches | Beside]:
        """Return what had the service for itself."""
        of_processes = {f"processes: {number}": result for number, result in self.processes.items()}
        return {
            **of_processes,
            "watches": self.watches,
            "watches without price": self.watches_without_price,
            "polls beside a snapshot": self.beside_a_snapshot,
        }

    def _watched(self) -> dict[str, OfWatches]:
        return {
            "watches": self.watches,
            "watches without price": self.watches_without_price,
            "watches beside a foreign client": self.watches_beside_foreign_client,
        }
