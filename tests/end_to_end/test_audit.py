"""Who did what: shown, chained, and checked from outside."""

from __future__ import annotations

import sqlite3

from .conftest import buttons


async def checked(world) -> tuple[int, str]:
    process = await world.command("check", "--audit")
    out, err = await process.communicate()
    return process.returncode or 0, (out + err).decode().strip()


async def test_acts_are_shown_with_who_and_what_and_a_changed_row_is_found(world) -> None:
    async with world.running():
        assert "Nothing yet." in (await world.says(world.admin, "/audit"))["text"]
        for _ in range(11):
            await world.says(world.admin, "/admins add author")
        listed = await world.says(world.admin, "/feeds")
        feed = buttons(listed)[0]["callback_data"].split(":")[1]
        await world.press(world.admin, listed, f"feed:{feed}:pause")
        shown = await world.says(world.admin, "/audit")
        newest = shown["text"].splitlines()[1]
        assert f"Editor ({world.admin}): paused a feed · sample" in newest
        assert "The chain holds" in shown["text"]
        assert shown["text"].count("made an invitation") == 9
        await world.press(world.admin, shown, "audit:2")
        await world.wait_until(lambda: shown["text"].count("made an invitation") == 2)
    status, said = await checked(world)
    assert (status, said.partition(";")[0]) == (0, "audit: 12 acts, each follows from the one before")
    with sqlite3.connect(world.folder / "tagwire.db") as database:
        database.execute("UPDATE audit SET detail = 'admin' WHERE id = 5")
    database.close()
    status, said = await checked(world)
    assert status == 1
    assert said.startswith("tagwire: audit: row 5 does not follow")
    async with world.running():
        assert "broken at row 5" in (await world.says(world.admin, "/audit"))["text"]


async def test_hot_news_and_people_are_in_it_and_who_is_forgotten_breaks_nothing(world) -> None:
    async with world.running():
        await world.says(world.admin, "/broadcast Talks begin")
        await world.wait_until(lambda: "the preview" in world.from_bot(world.admin)[-1]["text"])
        await world.press(world.admin, world.from_bot(world.admin)[-1], "hot-send:")
        reader = world.telegram.add_user("Olivia", "en")
        link = (await world.says(world.admin, "/admins add editor"))["text"].rpartition("=")[2]
        await world.says(reader, f"/start {link}")
        shown = (await world.says(world.admin, "/audit"))["text"]
        assert f"Olivia ({reader}): came by an invitation → Editor ({world.admin}) · editor" in shown
        assert "sent hot news" in shown
        asked = await world.says(reader, "/forgetme")
        await world.press(reader, asked, "forget:yes")
        await world.wait_until(lambda: asked["text"].startswith("Erased."))
        again = (await world.says(world.admin, "/audit"))["text"]
        assert "somebody forgotten: came by an invitation" in again
        assert "Olivia" not in again
        assert "The chain holds" in again
        assert "Olivia" not in (await world.says(world.admin, "/admins"))["text"]
    assert (await checked(world))[0] == 0
