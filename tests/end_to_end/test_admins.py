"""The newsroom's people: invited by a link that works once, changed, removed, and checked at every press."""

from __future__ import annotations

import asyncio
import re

import pytest
from structlog.testing import capture_logs

from bot.app import opened

from .conftest import buttons


def link_of(message: dict) -> str:
    """The payload of the invitation in a message."""
    found = re.search(r"https://t\.me/tagwire_bot\?start=(join_[\w-]{43})$", message["text"])
    assert found, message["text"]
    return found[1]


def menu(world, person: int, language: str = "") -> list[str]:
    """The commands that Telegram shows somebody, if they have a menu of their own."""
    return [one["command"] for one in world.telegram.commands.get((f"chat:{person}", language), [])]


async def invited(world, role: str, name: str = "Olivia", language: str = "en") -> int:
    """Somebody who came by an invitation."""
    person = world.telegram.add_user(name, language)
    payload = link_of(await world.says(world.admin, f"/admins add {role}"))
    assert f"{name}: " not in (await world.says(world.admin, "/admins"))["text"]
    await world.says(person, f"/start {payload}")
    return person


async def test_an_invitation_makes_one_person_a_publisher_once(world) -> None:
    other = world.telegram.add_user("Other", "en")
    async with world.running():
        said = await world.says(world.admin, "/admins add publisher")
        assert "becomes: publisher" in said["text"]
        payload = link_of(said)
        reader = world.telegram.add_user("Olivia", "en")
        assert "Only the newsroom" in (await world.says(reader, "/broadcast Hot"))["text"]
        assert menu(world, reader) == []
        assert "You are: publisher" in (await world.says(reader, f"/start {payload}"))["text"]
        assert {"broadcast", "stats"} <= {*menu(world, reader)}
        assert "admins" not in menu(world, reader)
        assert "broadcast" in menu(world, reader, "uk")
        assert "/broadcast" in (await world.says(reader, "/help"))["text"]
        assert "/addfeed" not in (await world.says(reader, "/help"))["text"]
        assert "does not work any more" in (await world.says(other, f"/start {payload}"))["text"]
        assert "Only the newsroom" in (await world.says(other, "/broadcast Hot"))["text"]
        assert "does not work" in (await world.says(other, "/start join_" + "x" * 43))["text"]
        listed = (await world.says(world.admin, "/admins"))["text"]
        assert f"Olivia: publisher ({reader})" in listed
        assert "named in the configuration" in listed
        assert "an invitation as" not in listed
        assert "Your role" in (await world.says(reader, "/admins"))["text"]


async def test_a_role_is_changed_and_taken_away_with_its_menu_and_its_old_buttons(world) -> None:
    async with world.running():
        person = await invited(world, "publisher")
        listed = await world.says(world.admin, "/admins")
        await world.press(world.admin, listed, f"member:{person}")
        await world.wait_until(lambda: "Make them" in listed["text"])
        await world.press(world.admin, listed, f"role:{person}:admin")
        await world.wait_until(lambda: "Olivia: admin" in listed["text"])
        assert "audit" in menu(world, person)
        theirs = await world.says(person, "/admins")
        assert "Olivia: admin" in theirs["text"]
        asked = await world.says(world.admin, f"/admins remove {person}")
        assert "Remove Olivia, admin?" in asked["text"]
        await world.press(world.admin, asked, f"member:{person}")  # Keep
        await world.wait_until(lambda: "Make them" in asked["text"])
        await world.press(world.admin, asked, f"remove:{person}:ask")
        await world.wait_until(lambda: "Remove Olivia" in asked["text"])
        await world.press(world.admin, asked, f"remove:{person}:sure")
        await world.wait_until(lambda: "Olivia" not in asked["text"])
        assert menu(world, person) == menu(world, person, "uk") == []
        for data in ("invite:admin", f"member:{person}", f"role:{person}:admin", "withdraw:all", "feeds:1", "audit:1"):
            assert "Only the newsroom" in (await world.press(person, theirs, data))["text"]
        assert "Only the newsroom" in (await world.says(person, "/admins add admin"))["text"]
    async with opened(world.config) as store:
        assert await store.staff.members() == []
        assert await store.staff.invited(0) == []


async def test_what_an_admin_handed_out_ends_with_the_admin(world) -> None:
    async with world.running():
        person = await invited(world, "admin")
        payload = link_of(await world.says(person, "/admins add admin"))
        asked = await world.says(world.admin, f"/admins remove {person}")
        await world.press(world.admin, asked, f"remove:{person}:sure")
        await world.wait_until(lambda: "Olivia" not in asked["text"])
        assert "does not work any more" in (await world.says(person, f"/start {payload}"))["text"]


async def test_invitations_are_withdrawn_and_who_has_more_keeps_it(world) -> None:
    reader = world.telegram.add_user("Late", "en")
    async with world.running():
        bare = await world.says(world.admin, "/admins add")
        assert [button["text"] for button in buttons(bare)] == ["+ author", "+ editor", "+ publisher", "+ admin"]
        pressed = world.press(world.admin, bare, "invite:author")
        payload = link_of(await world.next_message(world.admin, pressed))
        assert "You are: admin" in (await world.says(world.admin, f"/start {payload}"))["text"]  # it is still there
        listed = await world.says(world.admin, "/admins")
        assert "an invitation as author" in listed["text"]
        await world.press(world.admin, listed, "withdraw:all")
        await world.wait_until(lambda: "an invitation" not in listed["text"])
        assert "does not work any more" in (await world.says(reader, f"/start {payload}"))["text"]


@pytest.mark.parametrize("typed", ["add king", "remove", "remove me", "remove 99999999999999999999", "what"])
async def test_what_is_not_understood_is_explained(world, typed: str) -> None:
    async with world.running():
        assert "I did not understand" in (await world.says(world.admin, f"/admins {typed}"))["text"]
        assert "Nobody in the newsroom" in (await world.says(world.admin, "/admins remove 5"))["text"]
        assert "TAGWIRE_ADMINS" in (await world.says(world.admin, f"/admins remove {world.admin}"))["text"]
        listed = await world.says(world.admin, "/admins")
        for data in (f"role:{world.admin}:author", f"remove:{world.admin}:sure", "role:77:admin"):
            await world.press(world.admin, listed, data)
        assert "/audit" in (await world.says(world.admin, "/help"))["text"]


async def test_strangers_groups_and_members_of_less_are_refused(world) -> None:
    stranger = world.telegram.add_user("Stranger", "uk")
    async with world.running():
        editor = await invited(world, "editor", "Ed")
        group = world.telegram.add_group("Group", admin=world.admin)
        await world.playground.wait_for(group)
        for command in ("admins", "admins add admin", "feeds", "addfeed https://e.org", "delfeed x", "audit"):
            assert "лише редакція" in (await world.says(stranger, f"/{command}"))["text"]
            assert "role in the newsroom does not" in (await world.says(editor, f"/{command}"))["text"]
            assert "private chat" in (await world.says(group, f"/{command}", user_id=world.admin))["text"]
        assert "лише редакція" in (await world.says(stranger, "/stats"))["text"]
        payload = link_of(await world.says(world.admin, "/admins add admin"))
        assert "does not work" in (await world.says(group, f"/start {payload}", user_id=stranger))["text"]
        shown = await world.says(stranger, "/start")
        for data in ("invite:admin", "alarm:1:8h", "feed:1:pause", "addfeed:1:yes", "delfeed:1:yes"):
            assert "лише редакція" in (await world.press(stranger, shown, data))["text"]
        assert "/feeds" not in (await world.says(stranger, "/help"))["text"]


async def test_every_refusal_is_logged_with_who_and_what_it_needed(world) -> None:
    stranger = world.telegram.add_user("Stranger", "en")
    async with world.running():
        with capture_logs() as logs:
            said = await world.says(stranger, "/stats")
            await world.press(stranger, said, "role:1001:admin")
            await world.says(stranger, "/start join_nonsense")
    refused = [(one["event"], one["user"], one.get("needed")) for one in logs if "refused" in one["event"]]
    assert refused == [
        ("newsroom.refused", stranger, "editor"),
        ("newsroom.refused", stranger, "admin"),
        ("newsroom.invitation_refused", stranger, None),
    ]


async def test_two_who_open_a_link_at_once_are_one_member(world) -> None:
    people = [world.telegram.add_user(f"Reader {n}", "en") for n in range(5)]
    async with world.running():
        payload = link_of(await world.says(world.admin, "/admins add editor"))
        answers = await asyncio.gather(*(world.says(one, f"/start {payload}") for one in people))
    assert sum("You are: editor" in one["text"] for one in answers) == 1
