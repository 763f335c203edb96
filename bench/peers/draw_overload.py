"""Draw the figures of the overload bench. Runs in the peers' environment, which has matplotlib.

Usage: draw_overload.py FIGURES.json PICTURE.svg
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl  # type: ignore[import-not-found] # lives in the peers' environment

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "overload"

from matplotlib import pyplot as plt  # noqa: E402 - behind the choice of backend

COLORS = ("#0b5cad", "#5aa0e0", "#b0b0b0", "#707070")


def main(figures_file: str, picture: str) -> None:
    figures = json.loads(Path(figures_file).read_text())["figures"]
    drawing, panels = plt.subplots(1, len(figures), figsize=(13, 3.8), layout="constrained")
    measures = {"mean_late": "mean", "median_late": "median", "p95_late": "p95"}
    for axes, (per_second, rows) in zip(panels, figures.items(), strict=True):
        for i, (name, row) in enumerate(rows.items()):
            places = [place + (i - 1.5) * 0.2 for place in range(len(measures))]
            bars = axes.bar(places, [row[measure] for measure in measures], 0.2, color=COLORS[i], label=name)
            axes.bar_label(bars, fmt="{:,.0f}", fontsize=7)
        axes.set(title=f"{per_second} trainings a second", xticks=range(len(measures)))
        axes.set_xticklabels(list(measures.values()))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds late, under 10 calls a second")
    panels[0].legend(frameon=False, fontsize=8)
    drawing.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
