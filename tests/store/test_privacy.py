"""What is kept about a chat is handed out whole and erased whole, on both engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bot.core.model import Chat, ChatKind, Feed, Member, RuleSpec, Ruling, Verdict
from bot.core.roles import Role
from bot.store.privacy import NOBODY, OF_CHAT, OF_PERSON, RETURN_MS
from bot.store.schema import (
    actors,
    added_feeds,
    audit,
    broadcasts,
    chats,
    closed_topics,
    kept_lists,
    metadata,
    outbox,
    rule_terms,
    rules,
)
from bot.store.staff import Invitation
from tests.hot import drafted, send_hot

from .test_store import NOW, apply, change, reader, ready, update  # noqa: F401 - `ready` is a fixture

if TYPE_CHECKING:
    from bot.store.store import Store

PERSONAL = {"chat_id", "author_id", "actor_id", "user_id", "person_id", "owner_id", "editor_id", "admin_id"}
ME, OTHER = 7, 8


async def rows(store: Store, column) -> dict[int, int]:
    """How many rows hold each id."""
    async with store.database.reading() as connection:
        return dict((await connection.execute(select(column, func.count()).group_by(column))).all())


async def two_readers(store: Store) -> None:
    """Two chats that have a row in every table: sent, waiting, asked, refused and written."""
    for chat in (ME, OTHER):
        await reader(store, chat, RuleSpec(("nato",), ("sport",)), thread=5)
        await store.rules.exclude(chat, ["eu"])
        await store.chats.set_pending(chat, "sub", NOW)
    await apply(store, update(change("sent", "nato")))
    claimed = await store.outbox.claim("w", NOW, 1000, 10)
    sent = [(one, Verdict(ruling=Ruling.SENT, message_id=1)) for one in claimed]
    await store.outbox.settle(sent, "w", NOW)
    await apply(store, update(change("waits", "nato"), change("flies", "nato")))
    for claimed_now in await store.outbox.claim("w", NOW, 1000, 2):
        assert claimed_now.chat_id in {ME, OTHER}
    async with store.database.transaction() as connection:
        for chat in (ME, OTHER):
            await connection.execute(closed_topics.insert().values(chat_id=chat, thread_id=5))
            await connection.execute(kept_lists.insert().values(chat_id=chat, words="peace", created_at=NOW))
    for author in (ME, OTHER):
        await store.managers.note(author, OTHER)
        sent = await send_hot(store, "hot", NOW, author=author)
        await store.broadcasts.tell(sent.id, author, 1)
        await drafted(store, "a draft", NOW, author=author)
        await store.staff.put(Member(user_id=author, role=Role.ADMIN, name="Somebody"), author, NOW)
        await store.staff.invite(Invitation(f"hash of {author}", Role.EDITOR, NOW + 1000), author, NOW)
        await store.added.draft(Feed(name=f"f{author}", url=f"https://f{author}.example", title="F"), author, NOW)


def test_every_column_that_holds_a_chat_or_a_person_is_in_the_list() -> None:
    known = {(column.table.name, column.name) for column in (*OF_CHAT, *OF_PERSON)}
    found = {(table.name, column.name) for table in metadata.sorted_tables for column in table.c}
    assert {one for one in found if one[1] in PERSONAL} | {("chats", "id")} == known


async def test_all_of_it_is_handed_out(ready: Store) -> None:  # noqa: F811
    await two_readers(ready)
    kept = json.loads(json.dumps(await ready.privacy.export(ME)))
    tables = {column.table.name for column in (*OF_CHAT, *OF_PERSON)}
    assert {name for name, found in kept.items() if found} == tables | {"audit"}
    acts = [(row["action"], row["actor"] == row["about"]) for row in kept["audit"]]
    assert acts == [("broadcast.confirm", False), ("staff.put", True), ("staff.invite", False)]
    for column in (*OF_CHAT, *OF_PERSON):
        assert {row[column.name] for row in kept[column.table.name]} == {ME}
    assert kept["rules"][0]["terms"] == ["nato", "-sport"]
    assert kept["exclusions"][0]["term"] == "eu"
    assert kept["chats"][0]["pending"] == "sub"
    assert kept["outbox"][0]["article"] == "https://one.example/sent"
    assert {row["state"] for row in kept["outbox"]} == {"sent", "claimed", "queued"}


async def test_all_of_it_is_erased_and_of_nobody_else(ready: Store) -> None:  # noqa: F811
    await two_readers(ready)
    before = {column: await rows(ready, column) for column in (*OF_CHAT, *OF_PERSON)}
    await ready.privacy.forget(ME)
    await ready.privacy.forget(ME)  # a second press finds nothing
    for column in (*OF_CHAT, *OF_PERSON):
        after = await rows(ready, column)
        assert ME not in after
        assert after[OTHER] == before[column][OTHER]
    assert (await rows(ready, broadcasts.c.author_id))[NOBODY] == 1  # what went out stays, the draft does not
    assert ME not in await rows(ready, broadcasts.c.told_chat)
    assert ME not in await rows(ready, broadcasts.c.confirmed_by)
    assert (await rows(ready, added_feeds.c.admin_id))[NOBODY] == 1
    # What they did stays, and the chain of it; who they are does not, nor is their number given to anybody again.
    numbers = await rows(ready, audit.c.actor)
    assert [*numbers.values()] == [3, 3]
    assert (await ready.audit.verify()).broken is None
    assert {(one.actor_id, one.about_id) for one in await ready.audit.newest(0, 10)} == {
        (0, 0), (OTHER, OTHER), (OTHER, 0),
    }  # fmt: skip
    await ready.staff.remove(OTHER, 99, NOW)
    assert max(await rows(ready, actors.c.number)) > max(numbers)
    assert set(await rows(ready, rule_terms.c.rule_id)) == set(await rows(ready, rules.c.id))
    assert not any((await ready.privacy.export(ME)).values())
    assert (await apply(ready, update(change("later", "nato")))).alerts == 1


async def test_who_stays_away_for_thirty_days_is_erased(ready: Store) -> None:  # noqa: F811
    await two_readers(ready)
    before = {column: await rows(ready, column) for column in (*OF_CHAT, *OF_PERSON)}
    await ready.chats.retire(ME, "the bot was blocked", NOW)
    await ready.chats.retire(ME, "again", NOW + RETURN_MS)  # it is away since the first time
    assert await ready.privacy.purge(NOW + RETURN_MS - 1) == 0
    assert (await ready.chats.get(ME)).active is False
    assert await ready.privacy.purge(NOW + RETURN_MS) == 1
    for column in OF_CHAT:
        after = await rows(ready, column)
        assert ME not in after
        assert after[OTHER] == before[column][OTHER]
    for column in OF_PERSON:  # what an editor sent, and who it was, stays where an admin looks for it
        assert await rows(ready, column) == before[column]
    assert await ready.privacy.purge(NOW + RETURN_MS) == 0


async def test_who_came_back_is_not_erased(ready: Store) -> None:  # noqa: F811
    for chat in (ME, OTHER):
        await reader(ready, chat, RuleSpec(("nato",)))
        await ready.chats.retire(chat, "the bot was blocked", NOW)
    await ready.chats.revive(ME, NOW + RETURN_MS - 1)
    await ready.chats.upsert(Chat(id=OTHER, kind=ChatKind.PRIVATE, title="R"), NOW + RETURN_MS - 1)
    assert await ready.privacy.purge(NOW + 2 * RETURN_MS) == 0
    await ready.chats.retire(ME, "the bot was blocked", NOW + 2 * RETURN_MS)
    assert await ready.privacy.purge(NOW + 3 * RETURN_MS - 1) == 0
    assert len(await ready.rules.of_chat(ME)) == 1


async def test_who_was_away_before_that_was_counted_has_thirty_days_from_now(ready: Store) -> None:  # noqa: F811
    await reader(ready, ME, RuleSpec(("nato",)))
    await ready.chats.retire(ME, "the bot was blocked", NOW)
    async with ready.database.transaction() as connection:
        await connection.execute(chats.update().values(retired_at=0))  # as a database of before
    assert await ready.privacy.purge(NOW + RETURN_MS) == 0
    assert await ready.privacy.purge(NOW + 2 * RETURN_MS) == 1


async def test_what_was_on_the_wire_settles_into_nothing(ready: Store) -> None:  # noqa: F811
    await reader(ready, ME, RuleSpec(("nato",)))
    await apply(ready, update(change("a", "nato")))
    (claimed,) = await ready.outbox.claim("w", NOW, 1000, 1)
    await ready.privacy.forget(ME)
    await ready.outbox.settle([(claimed, Verdict(ruling=Ruling.MOVE, moved_to=-1005))], "w", NOW)
    assert await rows(ready, outbox.c.chat_id) == {}
    assert await ready.chats.get(-1005) is None
    await reader(ready, ME)  # and anew
    assert (await ready.rules.of_chat(ME), await ready.outbox.claim("w", NOW, 1000, 1)) == ([], [])


async def test_a_group_that_moves_leaves_nothing_behind_but_its_name(ready: Store) -> None:  # noqa: F811
    await reader(ready, -5, RuleSpec(("nato",)))
    await ready.rules.exclude(-5, ["eu"])
    await apply(ready, update(change("a", "nato")))
    await ready.chats.move(-5, -1005, NOW)
    holding = {column.table.name for column in OF_CHAT if -5 in await rows(ready, column)}
    assert holding == {"chats"}  # a group that can move has no topics
