"""A person uses the page in a real browser, against the running stack."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect, sync_playwright

from local.functions_host import HostKind
from local.stack import Stack
from shared.training import rows
from shared.training.messages import read_group

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".local/screenshots"
AXE = ROOT / "node_modules/axe-core/axe.min.js"
MANY = 10_000
pytestmark = pytest.mark.e2e
MAX_FRAME_MILLISECONDS = 50
"""What a person takes for an answer at once."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser: the system's Chromium, else the one that playwright has installed."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=found, args=sandbox)
        except Error:
            pytest.skip("no browser: install Chromium (apt-get install chromium, or playwright install chromium)")
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, stack: Stack, host_kind: HostKind) -> Iterator[Page]:
    """Open the page, with the key entered."""
    if host_kind is not HostKind.STAND_IN:
        pytest.skip("the page is the same on each host, and func asks for no key")
    yield from opened(browser, stack, color_scheme="light")


def opened(browser: Browser, stack: Stack, **options: Any) -> Iterator[Page]:
    """Open the page in a window of its own, where no script may fail and nothing comes from other hosts."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
    page, failures = context.new_page(), []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("request", lambda request: failures.append(request.url) if not is_own(stack, request.url) else None)
    page.goto(f"{stack.host.endpoint}/api/ui")
    enter_key(page, stack)
    yield page
    assert failures == []
    with suppress(Error):
        context.close()


def is_own(stack: Stack, address: str) -> bool:
    return address.startswith(stack.host.endpoint)


def enter_key(page: Page, stack: Stack) -> None:
    page.get_by_label("Function key").fill(stack.connection.function_key or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Connected.")


def group(stack: Stack, group_id: str, duration: float) -> None:
    """Make a large person group whose training takes so many seconds."""
    stack.face.control.plan("largePersonGroup", group_id, duration=duration)
    stack.face.control.group("largePersonGroup", group_id, train=True)


def watch(page: Page, group_id: str) -> None:
    page.get_by_label("Group ID").fill(group_id)
    page.get_by_role("button", name="Watch", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("the request is on the queue")


def watched(page: Page, group_id: str) -> Locator:
    """Return the group's button in the list of what is being watched."""
    return page.get_by_role("region", name="Watched now").get_by_role(
        "button", name=f"show largePersonGroup/{group_id}"
    )


def snap(page: Page, name: str) -> None:
    """Keep a picture for people."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def test_a_person_watches_a_group_and_sees_it_end(page: Page, stack: Stack) -> None:
    group(stack, "page-ends", 5)
    watch(page, "page-ends")
    expect(watched(page, "page-ends")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("status")).to_have_text("largePersonGroup/page-ends: succeeded.", timeout=30_000)
    row = page.get_by_role("region", name="Ended today").get_by_role("row").filter(has_text="page-ends")
    expect(row).to_contain_text("succeeded", timeout=15_000)
    row.get_by_role("button").click()
    detail = page.get_by_role("dialog", name="largePersonGroup/page-ends")
    expect(detail).to_contain_text("Not watched now.")
    expect(detail).to_contain_text("Past trainings took 5 s.")
    snap(page, "detail")
    detail.get_by_role("button", name="Close").click()
    expect(detail).to_be_hidden()


def test_a_person_cancels_a_watch(page: Page, stack: Stack) -> None:
    group(stack, "page-unwanted", 600)
    watch(page, "page-unwanted")
    page.get_by_role("button", name="cancel all requests for largePersonGroup/page-unwanted").click(timeout=15_000)
    said = "(1 request for largePersonGroup/page-unwanted cancelled|largePersonGroup/page-unwanted: cancelled)."

    expect(page.get_by_role("status")).to_have_text(re.compile(said), timeout=15_000)
    row = page.get_by_role("region", name="Ended today").get_by_role("row").filter(has_text="page-unwanted")
    expect(row).to_contain_text("cancelled", timeout=15_000)


def test_a_person_takes_a_snapshot(page: Page, stack: Stack) -> None:
    stack.face.control.fill(2_500)
    expect(page.get_by_role("heading", name="Snapshots")).to_contain_text("UTC")
    page.get_by_role("button", name="Take one now").click()
    expect(page.get_by_role("status")).to_have_text("A snapshot is on its way.")
    listed = page.get_by_role("region", name="Snapshots").get_by_role("row").filter(has_text="2,500")
    expect(listed.first).to_contain_text("dynamicPersonGroup", timeout=30_000)


def test_what_is_wrong_is_said(page: Page) -> None:
    page.get_by_label("Group ID").fill("never-watched")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("the group was never watched")
    page.get_by_label("Group ID").fill("Not An ID")
    page.get_by_role("button", name="Watch", exact=True).click()
    assert page.get_by_label("Group ID").evaluate("field => field.validity.patternMismatch")
    page.get_by_label("Function key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The key is not valid")


def test_the_keyboard_alone_is_enough(page: Page, stack: Stack) -> None:
    group(stack, "page-keyboard", 600)
    page.get_by_label("Function key").focus()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["Use it", "kind", "group", "train", "Watch"]
    page.get_by_label("Group ID").focus()
    page.keyboard.type("page-keyboard")
    page.keyboard.press("Enter")
    name = watched(page, "page-keyboard")
    expect(name).to_be_visible(timeout=15_000)
    name.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Watched: next poll", timeout=15_000)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    # The list is drawn anew all the time, and the focus stays.
    page.evaluate("drawWatches()")
    expect(name).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(name).to_be_hidden(timeout=15_000)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault(page: Page, stack: Stack, color_scheme: Any, width: int) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core in node_modules: run script/bootstrap")
    group(stack, "page-seen-by-axe", 600)
    watch(page, "page-seen-by-axe")
    page.emulate_media(color_scheme=color_scheme)
    page.set_viewport_size({"width": width, "height": 1000})
    expect(watched(page, "page-seen-by-axe")).to_be_visible(timeout=15_000)
    assert faults(page) == []
    snap(page, f"page-{color_scheme}-{width}")
    watched(page, "page-seen-by-axe").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list[str]:
    """Return what axe has against the page as it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]


def test_axe_finds_a_fault_where_there_is_one(page: Page) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core in node_modules: run script/bootstrap")
    page.evaluate("document.querySelector('#group').parentElement.replaceWith(document.querySelector('#group'))")
    page.evaluate("document.querySelector('#group').removeAttribute('title')")
    assert any(each.startswith("label: ") for each in faults(page))


def test_ten_thousand_watches_scroll_without_lag(page: Page, stack: Stack, request: pytest.FixtureRequest) -> None:
    index(stack, MANY)
    request.addfinalizer(lambda: index(stack, MANY, "delete"))
    expect(page.get_by_role("heading", name="Watched now")).to_contain_text("(10,0", timeout=60_000)
    measured = page.evaluate(
        """async () => {
            const box = document.getElementById("watches-box"), times = [];
            for (let step = 0; step < 50; step++) {
                box.scrollTop = box.scrollHeight * step / 50;
                await new Promise(requestAnimationFrame);
                const began = performance.now();
                drawWatches(); box.offsetHeight;
                times.push(performance.now() - began);
            }
            box.scrollTop = box.scrollHeight;
            return times.sort((a, b) => a - b)[25];
        }"""
    )
    assert measured < MAX_FRAME_MILLISECONDS
    assert page.locator("#watches tr").count() < 60
    expect(watched(page, f"many-{MANY - 1:05}")).to_be_visible()
    snap(page, "ten-thousand")


def index(stack: Stack, count: int, operation: str = "upsert") -> None:
    """Put so many groups into the index of live ones, or take them out."""
    due = datetime.now(UTC) + timedelta(hours=1)
    names = [rows.partition_of(read_group("largePersonGroup", f"many-{number:05}")) for number in range(count)]
    found = [{"PartitionKey": rows.LIVE, "RowKey": name, "nextPollAt": due, "weight": 0.0} for name in names]
    for batch in batched(found, 100, strict=False):
        stack.storage.watch_table.submit_transaction([(operation, row) for row in batch])


def test_behind_entra_id_the_signed_in_user_is_used_and_no_key_is_asked_for(
    browser: Browser, stack: Stack, host_kind: HostKind
) -> None:
    """What the platform's authentication does, the test does: it adds what opens the functions to a session's calls."""
    if host_kind is not HostKind.STAND_IN:
        pytest.skip("the page is the same on each host")
    signed_in = False

    def as_platform(route: Route) -> None:
        path = route.request.url.removeprefix(stack.host.endpoint)
        if path == "/.auth/me":
            route.fulfill(json=[{"user_id": "someone@example.org"}]) if signed_in else route.fulfill(status=401)
        elif path == "/api/ui":
            body = route.fetch().text().replace('data-auth="key"', 'data-auth="entra"')
            route.fulfill(body=body, content_type="text/html")
        elif signed_in:
            assert "x-functions-key" not in route.request.headers
            route.continue_(headers={**route.request.headers, "x-functions-key": stack.connection.function_key or ""})
        else:
            route.fulfill(status=401)

    page = browser.new_page()
    page.route("**", as_platform)
    page.goto(f"{stack.host.endpoint}/api/ui")
    link = page.get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", "/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Fui")
    signed_in = True
    page.reload()
    expect(page.get_by_text("Signed in as someone@example.org")).to_be_visible()
    expect(page.get_by_label("Function key")).to_be_hidden()
    expect(page.get_by_role("heading", name="Snapshots")).to_contain_text("UTC")
    page.unroute_all(behavior="ignoreErrors")
    page.close()
