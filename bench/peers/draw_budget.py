"""Draw the figures of the budget bench. Runs in the peers' environment, which has matplotlib.

Usage: draw_budget.py FIGURES.json PICTURE.svg
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl  # type: ignore[import-not-found] # lives in the peers' environment

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "budget"

from matplotlib import pyplot as plt  # noqa: E402 - behind the choice of backend

OURS, THROTTLED, LIMIT = "#0b5cad", "#c4501b", "#b0b0b0"


def main(figures_file: str, picture: str) -> None:
    figures = json.loads(Path(figures_file).read_text())
    drawing, (shares, told) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
    rows = {
        f"{number} process{'' if number == '1' else 'es'}": result for number, result in figures["processes"].items()
    }
    rows["40 instances,\n10,000 watches"] = figures["watches"]
    rows["a snapshot\nand polls"] = figures["beside_a_snapshot"]
    rows["beside a client that\ntakes 3 of 10 calls"] = figures["watches_beside_foreign_client"]
    used = shares.barh(list(rows), [result["used_share"] for result in rows.values()], color=OURS)
    shares.bar_label(used, [f"{result['throttled_share']:.1%} throttled" for result in rows.values()], padding=3)
    shares.axvline(0.92, color="black", linewidth=0.5, linestyle=":")
    shares.set(title="Share of 10 calls a second that is used", xlim=(0, 1.3), xticks=(0, 0.25, 0.5, 0.75, 1))
    shares.invert_yaxis()
    for max_tps, color in (("5", OURS), ("10", THROTTLED)):
        asked = [one["asked"] for one in figures["told_to_wait"][max_tps]]
        latest = [one["latest"] for one in figures["told_to_wait"][max_tps]]
        told.plot(asked, latest, "o-", color=color, label=f"the last of seven, FACE_MAX_TPS = {max_tps}")
    told.plot([1, 50], [1, 50], color=LIMIT, linestyle=":", label="at once when it may")
    told.plot([1, 50], [3.5, 77], color=LIMIT, label="1.5 times as long, and 2 s")
    told.set(title="Seconds until a throttled group is polled again", xlabel="seconds that the service asked for")
    told.legend(frameon=False)
    for axes in (shares, told):
        axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
