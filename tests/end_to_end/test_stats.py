"""The service in numbers and pictures."""

from __future__ import annotations

from bot.app import now_ms, opened
from bot.core.attention import local_day

from .test_admins import invited


async def test_an_editor_sees_numbers_and_a_picture_of_each_figure_there_is(world) -> None:
    reader = world.telegram.add_user("Olivia", "en")
    await world.poll()
    async with world.running() as service:
        editor = await invited(world, "editor", "Ed", "uk")
        await world.says(reader, "/sub #nato")
        world.newsroom.publish_seed()
        await service.poll(["sample"])
        await world.playground.wait_for(reader, predicate=lambda m: "NATO not commenting" in m["text"])
        async with opened(world.config) as store:
            today = local_day(now_ms(), "Europe/Kyiv")
            for day in (today - 1, today):
                await store.days.count(day)
        said = await world.says(editor, "/stats and more")
        assert said["text"].startswith("Служба в числах\nЧитачів: 3")
        assert "Підписок: 1" in said["text"]
        await world.wait_until(lambda: sum("photo" in m for m in world.from_bot(editor)) == 5)
    pictures = [m for m in world.from_bot(editor) if "photo" in m]
    assert [m["caption"] for m in pictures] == [
        "Читачі", "Підписки", "Сповіщення за днями", "За чим стежать найбільше", "Від публікації до сповіщення",
    ]  # fmt: skip
    assert {(m["photo"][-1]["width"], m["photo"][-1]["height"]) for m in pictures} == {(1280, 720)}


async def test_where_nothing_happened_there_are_no_pictures(world) -> None:
    author = None
    async with world.running():
        author = await invited(world, "author")
        assert "role" in (await world.says(author, "/stats"))["text"]
        assert "The service in numbers" in (await world.says(world.admin, "/stats"))["text"]
        assert "Only" not in (await world.says(world.admin, "/help"))["text"]
    assert not any("photo" in m for m in world.from_bot(world.admin))
