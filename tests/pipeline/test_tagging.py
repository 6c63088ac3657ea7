"""What people follow: found from the next article on, looked for in the archive, unlearned, and told to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.cadence import DAY_MS
from bot.core.frequency import WEEK_MS
from bot.core.model import Article, EntryChange, Feed, FeedState, FeedUpdate, RuleSpec, TagSource
from bot.core.search import indexed
from bot.feeds.morphology import Morphology
from bot.pipeline.tagging import FOUND_ENOUGH, RENEW_MS

from .conftest import NOW, READER, item

if TYPE_CHECKING:
    from .conftest import World

FORMS = Morphology()
PENSIONS = "пенсії"


async def ready(world: World) -> None:
    """A feed that has shown its archive, and a process that has learned what is followed."""
    world.feed("a", "")
    await world.poll()


async def archive(world: World, titles: list[str], *, minutes_apart: int = 1) -> None:
    """Articles up to now, each seen when it was published."""
    await world.store.feeds.sync_catalogue([Feed(name="a", url="https://a.example", title="A")])
    for start in range(0, len(titles), 500):
        changes = tuple(
            _article(n, titles[n], NOW - (len(titles) - n) * minutes_apart * 60_000) for n in range(len(titles))
        )
        update = FeedUpdate(feed="a", state=FeedState(primed=True), changes=changes[start : start + 500], alert=False)
        await world.store.feeds.apply([update], NOW)


def _article(number: int, title: str, at: int) -> EntryChange:
    article = Article(
        link=f"https://a.example/{number}", title=title, summary="", source="A", language="uk", section="",
        published_at=at, seen_at=at, minutes=None, tags=(),
    )  # fmt: skip
    words = indexed(title, "", "uk", FORMS)
    return EntryChange(
        key=article.link, content_hash="h", canonical=article.link, article=article, new=True, indexed=words
    )


async def found(world: World, slug: str) -> int:
    return len(await world.store.articles.latest_ids([slug], 10_000))


async def test_what_somebody_begins_to_follow_is_found_from_the_next_article_on(world: World) -> None:
    await ready(world)
    await world.store.rules.follow(READER, 0, [RuleSpec(("solar_panels",))], NOW)
    world.publish("a", item(1, "Solar panels for schools"))
    assert (await world.poll()).alerts_queued == 1
    (article,) = await world.store.articles.latest(slugs=["solar_panels"])
    assert {tag.slug: tag.source for tag in article.tags}["solar_panels"] is TagSource.FOLLOWED


async def test_a_word_is_looked_for_in_what_came_before_and_nobody_is_alerted(world: World) -> None:
    world.feed("a", item(1, "Solar panels for schools") + item(2, "Wind"))
    await world.poll()
    known = await world.tagger.look_back(["solar_panels", "@a", "nato"], world.now - DAY_MS)
    assert known == dict.fromkeys(["solar_panels", "@a", "nato"], world.now - DAY_MS)
    (article,) = await world.store.articles.latest(slugs=["solar_panels"])
    assert article.title == "Solar panels for schools"
    assert (await world.store.outbox.counts()) == {}


async def test_a_word_is_found_behind_any_number_of_newer_articles_with_the_same_letters(world: World) -> None:
    await archive(world, ["Про пенсії вчителів"] * 3 + ["День ентузіаста, менеджера і студента"] * 600)
    await world.tagger.look_back([PENSIONS], NOW - DAY_MS)
    assert await found(world, PENSIONS) == 3


async def test_of_a_frequent_word_the_newest_say_how_often_it_comes(world: World) -> None:
    await archive(world, ["Пенсії: що зміниться"] * 1000, minutes_apart=10)
    known = await world.tagger.look_back([PENSIONS], NOW - WEEK_MS)
    assert NOW - 2 * DAY_MS < known[PENSIONS] <= NOW - DAY_MS  # no further back than was read
    assert await found(world, PENSIONS) < 300
    one = await world.store.rules.preview(RuleSpec((PENSIONS,)), [], known[PENSIONS], NOW)
    assert one.count >= FOUND_ENOUGH
    assert one.many
    assert 140 <= one.per_day <= 150  # one in 10 minutes: 144


async def test_of_a_word_more_frequent_than_is_read_the_least_is_told(world: World) -> None:
    await archive(world, ["Пенсії: що зміниться"] * 2100, minutes_apart=0)
    known = await world.tagger.look_back([PENSIONS], NOW - WEEK_MS)
    one = await world.store.rules.preview(RuleSpec((PENSIONS,)), [], known[PENSIONS], NOW)
    assert (one.count, one.at_least, one.many) == (2000, True, True)


async def test_once_it_is_followed_the_whole_week_is_searched(world: World) -> None:
    await ready(world)
    await world.tagger.refresh()  # the start
    await archive(world, ["Пенсії: що зміниться"] * 300, minutes_apart=20)
    await world.tagger.look_back([PENSIONS], NOW - WEEK_MS)
    assert await found(world, PENSIONS) < 300
    await world.store.rules.follow(READER, 0, [RuleSpec((PENSIONS,))], NOW)
    await world.tagger.refresh()
    await world.tagger.catch_up()
    assert await found(world, PENSIONS) == 300
    assert (await world.store.outbox.counts()) == {}


async def test_what_was_asked_about_and_not_followed_is_not_looked_for_in_what_comes(world: World) -> None:
    await ready(world)
    await world.tagger.look_back(["solar_panels"], world.now - WEEK_MS)
    world.publish("a", item(1, "Solar panels for schools"))
    await world.poll()
    assert await found(world, "solar_panels") == 0


async def test_what_nobody_follows_any_more_is_forgotten_in_time(world: World) -> None:
    await ready(world)
    rule = RuleSpec(("solar_panels",))
    await world.store.rules.follow(READER, 0, [rule], NOW)
    await world.tagger.refresh()
    await world.store.rules.unfollow(READER, 0, [rule])
    world.now += RENEW_MS
    await world.tagger.refresh()
    world.publish("a", item(1, "Solar panels for schools"))
    await world.poll()
    assert await found(world, "solar_panels") == 0
    # Followed again, it is learned again.
    await world.store.rules.follow(READER, 0, [rule], NOW)
    world.publish("a", item(2, "Solar panels for hospitals"))
    assert (await world.poll()).alerts_queued == 1


async def test_a_word_that_a_chat_excludes_is_found_too(world: World) -> None:
    await ready(world)
    await world.store.rules.exclude(READER, ["solar_panels"])
    world.now += RENEW_MS  # it was another process that was told; this one reads all rules now and then
    await world.store.rules.follow(READER, 0, [RuleSpec(("nato",))], NOW)
    world.publish("a", item(1, "NATO: solar panels for bases") + item(2, "NATO: wind for bases"))
    assert (await world.poll()).alerts_queued == 1
