"""Draw the figures of the schedule bench. Runs in the peers' environment, which has matplotlib.

Usage: draw_schedule.py FIGURES.json PICTURE.svg
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl  # type: ignore[import-not-found] # lives in the peers' environment

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "schedule"

from matplotlib import pyplot as plt  # noqa: E402 - behind the choice of backend

OURS, EXACT, PEER = "#0b5cad", "#000000", "#b0b0b0"


def main(figures_file: str, picture: str) -> None:
    figures = json.loads(Path(figures_file).read_text())
    drawing, (ticks, *frontiers) = plt.subplots(
        1, 3, figsize=(13, 4), layout="constrained", gridspec_kw={"width_ratios": [1.5, 1, 1]}
    )
    rows = figures["poll_ages"]
    for row, (name, ages) in enumerate(rows.items()):
        known = name == "nothing known" or "past of" in name
        ticks.plot(ages, [row] * len(ages), "|", markersize=14, markeredgewidth=2, color=OURS if known else PEER)
    ticks.axvline(90, color="black", linewidth=0.5, linestyle=":")
    ticks.set(title="When a training that goes on is polled", xlabel="its age in seconds", yticks=range(len(rows)))
    ticks.set_yticklabels(list(rows))
    ticks.invert_yaxis()
    for axes, (case, lines) in zip(frontiers, figures["frontier"].items(), strict=True):
        for name, label, color, style in (
            ("this app", "this app, a poll worth 0.25 to 16 s", OURS, "o-"),
            ("exact optimum", "exact optimum, knowing the distribution", EXACT, ":"),
        ):
            line = lines[name]
            axes.plot([at["polls"] for at in line], [at["mean_late"] for at in line], style, label=label, color=color)
        for name, at in figures["cases"][case].items():
            if name not in lines:
                axes.plot(at["polls"], at["mean_late"], "s", color=PEER)
                axes.annotate(
                    name, (at["polls"], at["mean_late"]), xytext=(4, 4), textcoords="offset points", fontsize=8
                )
        axes.set(title=case, xlabel="polls a training", ylabel="mean seconds late", xlim=(0, 27), ylim=(0, 40))
    frontiers[0].legend(frameon=False, fontsize=8)
    for axes in (ticks, *frontiers):
        axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
