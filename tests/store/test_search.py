"""The search index on both engines: nothing breaks it, and it follows edits and pruning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.core.cadence import DAY_MS
from bot.core.model import ArticleTag, TagSource
from bot.core.search import indexed, understand
from bot.feeds.morphology import Morphology
from bot.pipeline.searching import find, index_archive
from bot.store.search import KEPT_MS, index

from .test_store import NOW, apply, change, reader, ready, update  # noqa: F401

if TYPE_CHECKING:
    from bot.store.store import Store

FORMS = Morphology()


def told(key: str, title: str, summary: str = "", **more: object):
    """A change with what search finds it by."""
    return change(key, title=title, indexed=indexed(title, summary, "uk", FORMS), **more)


async def titles(store: Store, typed: str) -> list[str]:
    ids = await find(store, understand(typed, FORMS), FORMS, 100)
    return [article.title for article in await store.articles.load(ids)]


async def test_search_follows_the_archive(ready: Store) -> None:  # noqa: F811
    await apply(ready, update(told("a", "Мирний план"), told("b", "План миру"), told("c", "Про погоду")))
    assert await titles(ready, "мирного плану") == ["Мирний план"]
    assert await titles(ready, "планами") == ["План миру", "Мирний план"]
    assert await titles(ready, '"план миру"') == ["План миру"]
    assert await titles(ready, "...") == []
    # An edit is found by its new words, not by the old ones.
    await apply(ready, update(told("a", "Військовий план", new=False)))
    assert await titles(ready, "мирний план") == []
    assert await titles(ready, "військового плану") == ["Військовий план"]
    # What is pruned is found no more, and leaves nothing behind.
    async with ready.database.transaction() as connection:
        await connection.execute(text("DELETE FROM articles WHERE title = 'План миру'"))
    assert await titles(ready, "план") == ["Військовий план"]
    async with ready.database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM search_index")) == 2


async def test_what_came_before_the_index_is_indexed_once(ready: Store) -> None:  # noqa: F811
    await apply(ready, update(*(change(str(n), title=f"Старий план {n}") for n in range(230)), told("x", "Новий план")))
    assert await titles(ready, "план") == ["Новий план"]
    assert await index_archive(ready, FORMS) == 230
    assert len(await titles(ready, "плану")) == 100
    assert await titles(ready, "плани 17") == ["Старий план 17"]
    assert await index_archive(ready, FORMS) == 0
    # What was read before an edit or a deletion is not written after it.
    (number,) = await find(ready, understand("новий", FORMS), FORMS, 1)
    await ready.search.add(
        [(number, indexed("Старі слова", "", "uk", FORMS)), (999_999, indexed("Немає", "", "", FORMS))]
    )
    assert await titles(ready, "старі слова") == []
    assert await titles(ready, "новий") == ["Новий план"]
    async with ready.database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM search_index")) == 231


async def test_a_list_is_kept_for_its_chat_and_for_a_while(ready: Store) -> None:  # noqa: F811
    await reader(ready, 1)
    await reader(ready, 2)
    number = await ready.search.keep(1, "<план>", [3, 2], NOW)
    assert await ready.search.kept(number, 1, NOW) == ("<план>", [3, 2])
    assert await ready.search.kept(number, 2, NOW) is None
    assert await ready.search.kept(number, 1, NOW + KEPT_MS + 1) is None
    later = [await ready.search.keep(1, "", [], NOW + KEPT_MS + 1 + n) for n in range(60)]
    async with ready.database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM kept_lists")) == 50
    assert await ready.search.kept(later[-1], 1, NOW + KEPT_MS) == ("", [])


async def test_what_rises_is_counted_by_what_was_published_and_so_is_a_week(ready: Store) -> None:  # noqa: F811
    days = {"a": 0, "b": 2, "c": 20, "d": 40}
    changes = [change(key, "nato") for key in days]
    published = [
        replace(one, article=replace(one.article, published_at=NOW - days[one.key] * DAY_MS)) for one in changes
    ]
    await apply(ready, update(*published))
    (counts,), span = await ready.articles.tag_counts(NOW)
    assert (counts.slug, counts.day, counts.before, counts.week) == ("nato", 1, 2, 2)
    assert span == 19
    assert (await ready.articles.tag_counts(NOW + 100 * DAY_MS)) == ([], 1.0)


async def test_what_only_its_followers_know_of_is_counted_and_offered_to_nobody(ready: Store) -> None:  # noqa: F811
    await apply(ready, update(change("a", "nato")))
    (number,) = await ready.articles.latest_ids([], 1)
    await ready.articles.add_tags([(number, [ArticleTag("a_neighbour", TagSource.FOLLOWED)])])
    counts, _ = await ready.articles.tag_counts(NOW)
    assert [one.slug for one in counts] == ["nato"]
    assert await ready.articles.borne(shortest=1, longest=20) == ["nato"]
    assert await ready.articles.borne_of(["nato", "a_neighbour"]) == {"nato"}
    assert await ready.articles.latest_ids(["a_neighbour"], 1) == [number]


async def test_words_are_found_in_all_that_was_published_then_the_newest_first(ready: Store) -> None:  # noqa: F811
    changes = [change(key, title=f"Grain {key}") for key in ("ccc", "aaa", "bbb")]
    dated = [
        replace(
            one,
            article=replace(one.article, published_at=NOW - n * DAY_MS),
            indexed=indexed(one.article.title, "", "en", FORMS),
        )
        for n, one in enumerate(changes)
    ]
    await apply(ready, update(*dated, alert=False))
    found = await ready.search.dated(understand("grains", FORMS), NOW - DAY_MS, NOW)
    assert [published_at for _, published_at in found] == [NOW, NOW - DAY_MS]
    assert await ready.search.dated(understand("", FORMS), 0, NOW) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.text(max_size=60) | st.text(alphabet="ab\"'\\:*^-+&|!()<>{}ʼ«»№١\u0301НI ", max_size=30))
async def test_nothing_that_is_typed_or_published_breaks_it(ready: Store, typed: str) -> None:  # noqa: F811
    words = indexed(typed, typed, "", FORMS)
    await apply(ready, update(change("x", title=typed.replace("\0", ""), new=True)))
    (number,) = await ready.articles.latest_ids([], 1)
    async with ready.database.transaction() as connection:
        await index(connection, [(number, words)])
    query = understand(typed, FORMS)
    hits = await ready.search.find(query, 10)
    # What an article says is found by what it says, unless it is longer than a query.
    assert bool(hits) == bool(query.words)
