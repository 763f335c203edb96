"""List all groups with dlt's REST source and filesystem destination. Runs in the peers' environment.

Usage: dlt_pipeline.py ENDPOINT KEY DIRECTORY; prints the figures as JSON.
"""

import json
import os
import sys
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]


def main(endpoint: str, key: str, directory: str) -> None:
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{endpoint}/face/v1.2-preview.1/",
                "auth": {"type": "api_key", "name": "Ocp-Apim-Subscription-Key", "api_key": key, "location": "header"},
            },
            "resources": [
                {
                    "name": "dynamic_person_groups",
                    "endpoint": {
                        "path": "dynamicpersongroups",
                        "params": {"top": 1000},
                        "data_selector": "$",
                        "paginator": {
                            "type": "cursor",
                            "cursor_path": "[-1].dynamicPersonGroupId",
                            "cursor_param": "start",
                        },
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{directory}/pipelines",
        destination=dlt.destinations.filesystem(f"file://{directory}/out"),
        dataset_name="face",
    )
    began = time.perf_counter()
    pipeline.run(source, loader_file_format="jsonl", write_disposition="replace")
    seconds = time.perf_counter() - began
    groups = pipeline.last_trace.last_normalize_info.row_counts["dynamic_person_groups"]
    print(json.dumps({"groups": groups, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
