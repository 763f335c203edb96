"""Draw the figures of the snapshot bench. Runs in the peers' environment, which has matplotlib.

Usage: draw_snapshots.py FIGURES.json PICTURE.svg
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl  # type: ignore[import-not-found] # lives in the peers' environment

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "snapshots"

from matplotlib import pyplot as plt  # noqa: E402 - behind the choice of backend

OURS, NEXT, PEER = "#0b5cad", "#5aa0e0", "#b0b0b0"


def main(figures_file: str, picture: str) -> None:
    figures = json.loads(Path(figures_file).read_text())
    drawing, (budget, speed, calls) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    for name, label, color in (
        ("budget_share", "the next night", NEXT),
        ("budget_share_first_night", "the first night", OURS),
    ):
        for style, pages in zip(("o-", "s--", "^:"), (30, 200, 1000), strict=True):
            shares = {place: share for place, share in figures[name].items() if place.startswith(f"{pages} pages")}
            latencies = [float(place.split()[2]) for place in shares]
            budget.plot(latencies, list(shares.values()), style, label=f"{label}, {pages} pages", color=color)
    budget.axhline(0.95, color="black", linewidth=0.5, linestyle=":")
    budget.set(title="Share of what the budget makes possible", xlabel="seconds a page", ylim=(0, 1.05))
    budget.legend(frameon=False)
    rates = figures["groups_per_second"]
    bars = speed.bar(["ours", "plain loop", "dlt"], [rates["ours"], rates["plain_loop"], rates["dlt"]])
    for bar, color in zip(bars, (OURS, PEER, PEER), strict=True):
        bar.set_color(color)
    speed.bar_label(bars, fmt="{:,.0f}")
    speed.set(title="Groups a second, 100 ms a page, no limit")
    first, following = figures["calls_ratio"], figures["calls_ratio_next_night"]
    places = range(len(first))
    calls.bar([place - 0.2 for place in places], list(first.values()), 0.4, color=OURS, label="the first night")
    calls.bar([place + 0.2 for place in places], list(following.values()), 0.4, color=NEXT, label="the next night")
    calls.axhline(1.05, color="black", linewidth=0.5, linestyle=":")
    calls.set(title="Calls ÷ pages, by the shape of the IDs", ylim=(0.9, 1.1), xticks=list(places))
    calls.set_xticklabels(list(first))
    calls.legend(frameon=False)
    for axes in (budget, speed, calls):
        axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
