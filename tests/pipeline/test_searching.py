"""What is polled can be searched at once: the index is part of the poll's transaction."""

from __future__ import annotations

from bot.core.search import understand
from bot.pipeline.searching import find

from .conftest import item


async def titles(world, typed: str) -> list[str]:
    forms = world.tagger.lexicon.forms
    ids = await find(world.store, understand(typed, forms), forms, 10)
    return [article.title for article in await world.store.articles.load(ids)]


async def test_what_is_polled_is_found_and_an_edit_by_its_new_words(world) -> None:
    world.feed("one", item(1, "Мирний план") + item(2, "Погода"), language="uk")
    await world.poll()
    assert await titles(world, "мирного плану") == ["Мирний план"]
    world.publish("one", item(1, "Військовий план") + item(2, "Погода"))
    await world.poll()
    assert await titles(world, "військовим планом") == ["Військовий план"]
    assert await titles(world, "мирний") == []
