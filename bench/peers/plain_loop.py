"""List all groups as anyone would write it: a loop with requests. Runs in the peers' environment.

Usage: plain_loop.py ENDPOINT KEY OUTPUT [MAX_PAGES]; prints the figures as JSON.
"""

import gzip
import json
import sys
import time

import requests


def main(endpoint: str, key: str, output: str, most_pages: str = "1000000") -> None:
    session = requests.Session()
    session.headers["Ocp-Apim-Subscription-Key"] = key
    began, calls, groups, start = time.perf_counter(), 0, 0, ""
    with gzip.open(output, "wt", compresslevel=6) as file:
        while calls < int(most_pages):
            response = session.get(
                f"{endpoint}/face/v1.2-preview.1/dynamicpersongroups?start={start}&top=1000", timeout=30
            )
            response.raise_for_status()
            page = response.json()
            calls += 1
            if not page:
                break
            for group in page:
                file.write(json.dumps(group) + "\n")
            groups += len(page)
            start = page[-1]["dynamicPersonGroupId"]
    print(json.dumps({"groups": groups, "calls": calls, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
