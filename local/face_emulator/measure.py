"""Measures how many pages a second the emulator serves: `python -m local.face_emulator.measure --groups 1000000`."""

import argparse
import re
import time

import requests

from local.face_emulator.process import FaceEmulator, start_face_emulator

TIMEOUT_SECONDS = 60.0

_ID = re.compile(rb'"dynamicPersonGroupId":"([a-z0-9-_]+)"')


def main() -> None:
    """Print how long the emulator takes to make the groups, and how many pages a second it serves."""
    parser = argparse.ArgumentParser("python -m local.face_emulator.measure", description=__doc__)
    parser.add_argument("--groups", type=int, default=1_000_000)
    parser.add_argument("--user-data", type=int, default=100, help="characters of user data in each group")
    arguments = parser.parse_args()
    with start_face_emulator() as emulator:
        begin = time.perf_counter()
        emulator.control.fill(arguments.groups, user_data=arguments.user_data)
        filled = time.perf_counter()
        pages, size = _list_all(emulator)
        seconds = time.perf_counter() - filled
    print(f"{arguments.groups:,} groups made in {filled - begin:.1f} s")
    print(f"{pages:,} pages, {size / 1e6:.0f} MB, in {seconds:.1f} s: {pages / seconds:.0f} pages a second")


def _list_all(emulator: FaceEmulator) -> tuple[int, int]:
    """List all groups, one page after the other, and return the number of pages and of bytes."""
    address = f"{emulator.endpoint}/face/v1.2-preview.1/dynamicpersongroups"
    pages = size = 0
    start = ""
    with requests.Session() as session:
        session.headers["Ocp-Apim-Subscription-Key"] = emulator.key
        while True:
            page = session.get(address, params={"start": start}, timeout=TIMEOUT_SECONDS).content
            ids = _ID.findall(page)
            if not ids:
                return pages, size
            start = ids[-1].decode()
            pages += 1
            size += len(page)


if __name__ == "__main__":
    main()
