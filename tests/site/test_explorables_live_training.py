"""The model that learns on the page, in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hands import frame, number, table
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.corpora import fill_in_the_blank
from attention_course.explorables import LiveTraining


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


@pytest.fixture
def live(show: Callable, page: Page) -> Callable[..., Page]:
    return lambda **options: show(LiveTraining(fill_in_the_blank(), **options))


def train(page: Page) -> None:
    """Start, and wait until the run is over."""
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled(timeout=60_000)


def progress(page: Page) -> list[list[float]]:
    """Step, loss and accuracy on new sentences, from the table."""
    return [[number(text) for text in row] for row in table(page, 1)]


def ten_steps(page: Page) -> None:
    """One by one, quicker than they are drawn."""
    for _ in range(10):
        page.get_by_role("button", name="One step").click()
    expect(page.locator(".ac-summary")).to_contain_text("After step 10:")


NO_WORKER = {
    "an old browser": "delete window.Worker",
    "a page that forbids it": "window.Worker = function () { throw new Error('not here'); }",
    "a script that is gone": """
      const Real = Worker;
      window.Worker = function (_, options) { return new Real("/gone.js", options); };
    """,
}


@pytest.mark.parametrize("script", NO_WORKER.values(), ids=NO_WORKER)
def test_without_a_worker_the_same_run_goes_on_in_the_page(
    live: Callable, page: Page, script: str
) -> None:
    live()
    ten_steps(page)
    assert len(page.workers) == 1
    first = progress(page)
    page.add_init_script(script)
    page.route("**/gone.js", lambda route: route.fulfill(status=404))
    live()
    ten_steps(page)
    assert not page.workers
    assert progress(page) == first


def test_it_learns_to_look_at_city_and_kind(live: Callable, page: Page) -> None:
    live()
    before = [row for row in table(page) if row[0] == "universities"]
    assert number(before[0][1]) == pytest.approx(1 / len(table(page)), abs=0.02)
    assert not page.workers  # nobody has asked yet
    train(page)
    assert len(page.workers) == 1
    weights = {row[0]: [number(text) for text in row[1:]] for row in table(page)}
    assert weights["universities"][0] + weights["Beijing"][0] > 0.9
    assert weights["universities"][1] + weights["Beijing"][1] < 0.1
    steps, losses, right = zip(*progress(page), strict=True)
    assert steps == tuple(range(0, 301, 5))
    assert losses[-1] < 0.1 < 3 < losses[0]
    assert right[-1] > 0.95
    expect(page.locator(".ac-summary")).to_contain_text("After step 300: loss 0.0")


def test_few_sentences_are_learned_by_heart(live: Callable, page: Page) -> None:
    live(count=0)
    train(page)
    expect(page.locator(".ac-summary")).to_contain_text("knows its 50 sentences by heart")
    assert progress(page)[-1][2] < 0.5


def test_without_the_city_it_stays_a_guess_among_cities(live: Callable, page: Page) -> None:
    live()
    page.get_by_label("hide the city").check()
    train(page)
    expect(page.locator(".ac-summary")).to_contain_text("without any city")
    assert 0.2 < progress(page)[-1][2] < 0.8
    city = next(row for row in table(page) if row[0] == "Beijing")
    assert [number(text) for text in city[1:]] == [0, 0]
    assert set(page.locator(".ac-hidden").all_inner_texts()) == {"Beijing"}


def test_a_word_without_weight_is_not_struck_out(live: Callable, page: Page) -> None:
    live()
    page.get_by_label("learning rate").fill("4")
    train(page)
    assert page.locator(".ac-read span").count()
    assert not page.locator(".ac-hidden").count()


def test_it_pauses_goes_on_steps_and_starts_again(live: Callable, page: Page) -> None:
    live()
    start = page.get_by_role("button", name="Start", exact=True)
    start.click()
    expect(page.locator(".ac-summary")).to_contain_text("After")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    frame(page)
    before = page.locator(".ac-summary").inner_text()
    frame(page)
    assert page.locator(".ac-summary").inner_text() == before
    paused = int(before.split()[2].rstrip(":"))
    page.get_by_role("button", name="One step").click()
    frame(page)
    expect(page.locator(".ac-summary")).to_contain_text(f"After step {paused + 1}:")
    page.get_by_label("learning rate").fill("4")
    frame(page)
    expect(page.locator(".ac-summary")).to_contain_text("Before training")


def test_another_start_is_another_run_and_a_seed_the_same_one(live: Callable, page: Page) -> None:
    live(seed=1)
    ten_steps(page)
    first = progress(page)
    assert len(first) == 3
    live(seed=0)
    page.get_by_role("button", name="Another start").click()
    ten_steps(page)
    assert progress(page) == first


def test_who_wants_no_motion_gets_a_few_steps_at_a_time(live: Callable, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    live()
    for name, steps in {"Start": 30, "Go on": 60}.items():
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".ac-summary")).to_contain_text(f"After step {steps}:", timeout=20_000)
