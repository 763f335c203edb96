"""Each measurement, on a stage of its own making; all of them return figures and print nothing."""

import itertools
import json
from collections.abc import Callable, Iterator

from bench import peers
from bench.snapshots.stage import Stage, start_stage
from local.face_emulator.dynamic_groups import Shape
from shared.budget.row import GIVEN_OUT

type Say = Callable[[str], None]
type Shares = dict[str, dict[str, float]]

PER_SECOND = 10.0
LATENCIES = (0.1, 0.5, 1.0, 2.0)
SHAPES: tuple[Shape, ...] = ("uniform", "counter", "clusters", "long")
SPEED_GROUPS = 200_000
SPEED_LATENCY = 0.1
_CHANGES = 500
SHORT_LISTS = (30_000, 200_000)
RESTORED_PERSONS = 40


def budget_shares(groups: int, say: Say) -> tuple[Shares, int]:
    """Return the share of what is possible, by night, pages and latency, and the most memory of ours in bytes.

    Possible is that each slot which the budget gives out brings a page, and the last one its latency later.
    """
    peak = 0
    seeds = itertools.count(1)
    shares: Shares = {"next night": {}, "first night": {}}
    for count, latency in itertools.product((*SHORT_LISTS, groups), LATENCIES):
        say(f"request budget at {count // 1000:,} pages of {latency:g} s")
        # A stage each: an Azurite that has run for 10 minutes stops for seconds, to collect what nothing refers to.
        with start_stage() as stage:
            nightly = _two_nights(stage, count, seeds)
            stage.latency(latency)
            for night, container in (("next night", nightly), ("first night", stage.new_container())):
                (run,) = stage.snapshot(container, per_second=PER_SECOND)
                pages = -(-run.groups // 1000)
                possible = pages / (PER_SECOND * GIVEN_OUT) + latency
                shares[night][f"{pages} pages, {latency:g} s"] = possible / run.listing_seconds
                peak = max(peak, run.peak_bytes)
    return shares, peak


def _two_nights(stage: Stage, groups: int, seeds: Iterator[int]) -> str:
    """Make the snapshots of two nights, with changes after each, and return their container."""
    stage.fill(groups)
    container = stage.new_container()
    for _ in range(2):
        stage.snapshot(container)
        _change(stage, next(seeds))
    return container


def restoring(stage: Stage, groups: int, say: Say) -> dict[str, float]:
    """Return what the restore of many groups with many memberships took, in calls and seconds.

    It must list what there is before and after, make each group, and read each group's members (a page, and an empty
    one) to verify them.
    """
    say(f"restore of {groups:,} groups with {groups * RESTORED_PERSONS:,} memberships")
    stage.emulator.control.reset()
    stage.emulator.control.fill(groups, persons=RESTORED_PERSONS)
    containers = stage.new_container(), stage.new_container()
    stage.restore("COPY", *containers)
    stage.emulator.control.reset()
    figures = stage.restore("RESTORE", *containers)
    made = stage.emulator.control.statistics().requests
    must = 1 + groups + -(-groups // 1000) + 1 + 2 * groups
    return {**figures, "calls": sum(sum(counts.values()) for counts in made.values()), "must": must}


def speeds(stage: Stage, say: Say) -> tuple[dict[str, float], dict[str, float]]:
    """Return groups a second of each, and the CPU seconds a second of each process while ours ran."""
    stage.fill(SPEED_GROUPS)
    stage.latency(SPEED_LATENCY)
    say("speed of ours")
    before = stage.cpu_seconds()
    (ours,) = stage.snapshot(stage.new_container())
    used = {name: (now - before[name]) / ours.seconds for name, now in stage.cpu_seconds().items()}
    say("speed of the plain loop")
    loop = plain_loop(stage)
    say("speed of dlt")
    dlt = _figures("dlt_pipeline.py", stage, str(peers.scratch("dlt")))
    for name, peer in (("the plain loop", loop), ("dlt", dlt)):
        if peer["groups"] != ours.groups:
            raise RuntimeError(f"{name} listed {peer['groups']:g} groups, ours {ours.groups}")
    return {
        "ours": ours.groups_per_second,
        "plain_loop": loop["groups"] / loop["seconds"],
        "dlt": dlt["groups"] / dlt["seconds"],
    }, {"ours": ours.cpu_seconds / ours.seconds, **used}


def plain_loop(stage: Stage, pages: int = 1_000_000) -> dict[str, float]:
    """Return what the plain loop took for so many pages."""
    return _figures("plain_loop.py", stage, str(peers.scratch("loop") / "groups.ndjson.gz"), str(pages))


def memory(stage: Stage, groups: int, say: Say) -> int:
    """Return the most memory in bytes of two snapshots in one process, at the latencies of the long list's.

    With the latency grow the calls under way at once, and with them the memory, whatever the length of the list.
    """
    say(f"memory at {groups:,} groups")
    stage.fill(groups)
    peak = 0
    for latency in LATENCIES:
        stage.latency(latency)
        peaks = [run.peak_bytes for run in stage.snapshot(stage.new_container(), per_second=PER_SECOND, runs=2)]
        peak = max(peak, *peaks)
    return peak


def calls_ratios(stage: Stage, groups: int, say: Say) -> dict[str, dict[str, float]]:
    """Return calls made ÷ pages that the list has, by shape, with many calls under way: first night and next."""
    ratios: dict[str, dict[str, float]] = {"first night": {}, "next night": {}}
    for shape in SHAPES:
        say(f"calls for {groups // 1000:,} pages of IDs of the shape {shape}")
        stage.fill(groups, shape)
        stage.latency(SPEED_LATENCY)
        container = stage.new_container()
        for night in ratios:
            (run,) = stage.snapshot(container)
            ratios[night][shape] = run.calls / -(-run.groups // 1000)
            _change(stage, seed=0)
    return ratios


def _change(stage: Stage, seed: int) -> None:
    stage.emulator.control.change(added=_CHANGES, removed=_CHANGES, changed=_CHANGES, seed=seed)


def _figures(script: str, stage: Stage, *arguments: str) -> dict[str, float]:
    printed = peers.run_script(script, stage.emulator.endpoint, stage.emulator.key, *arguments)
    figures: dict[str, float] = json.loads(printed.splitlines()[-1])
    return figures
