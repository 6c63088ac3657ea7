"""The reader's commands as a table: how each is spelt, who may send it, where, and what it says.

`docs/commands.md` is made of it (`python -m tests.end_to_end.commands`), and test_commands.py plays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
PRIVATE, GROUP, CHANNEL, TOPIC = PLACES = ("private", "group", "channel", "topic")


@dataclass(frozen=True, slots=True)
class Said:
    """What is written after a command, and by which words its answer is recognised. `{language}` is the chat's."""

    typed: str
    en: str
    uk: str

    def expected(self, language: str) -> str:
        """The words in that language."""
        return self.en if language == "en" else self.uk


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command; the first of its names is the one that help and menus name."""

    names: tuple[str, ...]
    purpose: str
    bare: Said
    given: Said
    bad: Said
    changes: bool = False  #: outside private chats for administrators only
    of: str = "chat"  #: what it concerns: this chat, this topic, or nothing of either
    before: str = ""  #: what the chat has asked for already
    apart: Said | None = None  #: said bare instead, outside private chats


REFUSED = Said("", "Only administrators of this chat", "Лише адміністратори")

ROWS = (
    Row(
        names=("start",),
        purpose="first steps: what this is, tags to tap; `?start=tag_nato` follows a tag at once",
        bare=Said("", "News by hashtag", "Новини за хештегами"),
        given=Said("tag_quokka", "You follow #quokka", "Ви стежите за #quokka"),  # no article of it is shown
        bad=Said("tag_id999999", "News by hashtag", "Новини за хештегами"),
        of="topic",
    ),
    Row(
        names=("help",),
        purpose="every command, by what one wants to do",
        bare=Said("", "/sub #nato + #peace_plan — only articles with both", "/sub #nato + #peace_plan — лише статті з обома"),
        given=Said("me", "/lang — language", "/lang — мова"),
        bad=Said("&<>", "/lang — language", "/lang — мова"),
        of="articles",
    ),
    Row(
        names=("sub", "subscribe", "follow"),
        purpose="follow tags, words, sources; `-#sport` never",
        bare=Said("", "Which tags would you like to follow?", "За якими тегами стежити?"),
        apart=Said("", "Which tags shall come here?", "Які теги мають надходити сюди?"),
        given=Said("#nato + #peace_plan", "You follow #nato and #peace_plan", "Ви стежите за #nato і #peace_plan"),
        bad=Said("123 @nobody", "“123” cannot be a hashtag", "«123» не може бути хештегом"),
        changes=True,
        of="topic",
    ),
    Row(
        names=("unsub", "unsubscribe", "unfollow"),
        purpose="stop; bare: choose from a list",
        before="/sub #nato",
        bare=Said("", "What shall I stop?", "Що припинити?"),
        given=Said("#nato", "You no longer follow #nato", "Ви більше не стежите за #nato"),
        bad=Said("#sport", "You follow nothing yet", "Ви ще ні за чим не стежите"),
        changes=True,
        of="topic",
    ),
    Row(
        names=("list", "tags", "subscriptions"),
        purpose="what is followed, with how often each comes, when it last did, and how",
        before="/sub #nato",
        bare=Said("", "You follow 1 rule\n#nato — ", "Ви стежите за 1 правилом\n#nato — "),
        given=Said("#nato", "You follow 1 rule\n#nato — ", "Ви стежите за 1 правилом\n#nato — "),
        bad=Said("&<>", "You follow 1 rule\n#nato — ", "Ви стежите за 1 правилом\n#nato — "),
        of="topic",
    ),
    Row(
        names=("sources",),
        purpose="the newsrooms that can be followed whole",
        bare=Said("", "Sources, to follow one whole", "Джерела, щоб стежити"),
        given=Said("all", "@sample — Sample Newsroom", "@sample — Sample Newsroom"),
        bad=Said("&<>", "Sources, to follow one whole", "Джерела, щоб стежити"),
        of="articles",
    ),
    Row(
        names=("latest",),
        purpose="the newest articles, of all tags or of some",
        bare=Said("", "Latest\n\n", "Останнє\n\n"),
        given=Said("#nato", "Latest on #nato\n\n", "Останнє за темою #nato\n\n"),
        bad=Said("123", "I found no tag in that", "Я не знайшов тут тегу"),
        of="articles",
    ),
    Row(
        names=("hot",),
        purpose="hot news from the editors",
        bare=Said("", "No hot news yet", "Термінових новин ще немає"),
        given=Said("today", "No hot news yet", "Термінових новин ще немає"),
        bad=Said("&<>", "No hot news yet", "Термінових новин ще немає"),
        of="articles",
    ),
    Row(
        names=("more", "related"),
        purpose="as a reply to an alert: more about the same tags",
        bare=Said("", "Send /more as a reply to an alert", "Надішліть /more у відповідь на новину"),
        given=Said("", "More about #", "Більше про #"),
        bad=Said("nato", "Send /more as a reply to an alert", "Надішліть /more у відповідь на новину"),
        of="articles",
    ),
    Row(
        names=("trending",),
        purpose="tags rising now against their own usual day",
        bare=Said("", "Rising now: articles of the last 24 hours", "Зростають зараз: статті за останні 24 години"),
        given=Said("nato", "Rising now", "Зростають зараз"),
        bad=Said("&<>", "Rising now", "Зростають зараз"),
        of="articles",
    ),
    Row(
        names=("search", "find"),
        purpose="search in headlines and leads, whatever the endings",
        bare=Said("", "What shall I look for? Send the words", "Що шукати? Надішліть слова"),
        apart=Said("", "What shall I look for? Example: /search", "Що шукати? Приклад: /search"),
        given=Said("ukraine", "Found: ukraine", "Знайдено: ukraine"),
        bad=Said("!?", "There is no word to look for in that", "Тут немає слова, яке можна шукати"),
        of="articles",
    ),
    Row(
        names=("share",),
        purpose="a link that makes others follow a tag",
        bare=Said("", "What would you like to share?", "Чим хочете поділитися?"),
        given=Said("#nato", "News by hashtag, as it comes\n#nato: https://t.me/", "Новини за хештегом, щойно вийдуть\n#nato: https://t.me/"),
        bad=Said("123", "“123” cannot be a hashtag", "«123» не може бути хештегом"),
        of="articles",
    ),
    Row(
        names=("settings", "set"),
        purpose="language, time zone, quiet hours, digest, hot news, sounds a day, previews, pause",
        bare=Said("", "Settings\nQuiet hours: off", "Налаштування\nТихі години: вимкнено"),
        given=Said("all", "Previews of articles: off", "Прев’ю статей: вимкнено"),
        bad=Said("&<>", "Settings\nQuiet hours: off", "Налаштування\nТихі години: вимкнено"),
        changes=True,
    ),
    Row(
        names=("digest",),
        purpose="many articles in one message, at chosen times",
        bare=Said("", "Digest: off\nA digest is one message", "Дайджест: вимкнено\nДайджест — це одне"),
        given=Said("08:00 18:30", "Digest: 08:00, 18:30, everything", "Дайджест: 08:00, 18:30, усе"),
        bad=Said("25:00", "I need one to six times of day", "Потрібно від одного до шести часів доби"),
        changes=True,
    ),
    Row(
        names=("quiet",),
        purpose="quiet hours: nothing comes; what waited comes after them",
        bare=Said("", "Quiet hours: off\nNothing comes", "Тихі години: вимкнено\nУ тихі години"),
        given=Said("22:00-07:00", "Quiet hours: 22:00–07:00", "Тихі години: 22:00–07:00"),
        bad=Said("22:00", "I need two times of day", "Потрібні два часи доби"),
        changes=True,
    ),
    Row(
        names=("lang",),
        purpose="English or Ukrainian",
        bare=Said("", "Which language shall I speak?", "Якою мовою мені говорити?"),
        given=Said("{language}", "I speak English now", "Тепер я говорю українською"),
        bad=Said("xx", "I speak two languages", "Я розмовляю двома мовами"),
        changes=True,
    ),
    Row(
        names=("tz",),
        purpose="time zone: by a city, by hours (`UTC+5:30`), in a private chat by where one is",
        bare=Said("", "Time zone: Kyiv, it is ", "Часовий пояс: Київ, зараз "),
        given=Said("Europe/Warsaw", "Time zone: Warsaw, it is ", "Часовий пояс: Варшава, зараз "),
        bad=Said("Atlantis", "I do not know that place", "Я не знаю такого місця"),
        changes=True,
    ),
    Row(
        names=("mute",),
        purpose="silence a tag for a while; `off` ends it",
        before="/sub #nato",
        bare=Said("", "What shall I mute for 24 hours?", "Що стишити на 24 години?"),
        given=Said("#nato 24h", "#nato: muted until ", "#nato: стишено до "),
        bad=Said("#nato 9999w", "I need a tag and a length of time", "Потрібні тег і тривалість"),
        changes=True,
        of="topic",
    ),
    Row(
        names=("pause",),
        purpose="silence everything for a while",
        bare=Said("", "Pause: off\nWhile it is paused", "Пауза: вимкнено\nПід час паузи"),
        given=Said("8h", "Paused until ", "Пауза до "),
        bad=Said("tomorrow", "I need a length of time", "Потрібна тривалість"),
        changes=True,
    ),
    Row(
        names=("resume",),
        purpose="end the pause: what waited comes as one message",
        before="/pause 8h",
        bare=Said("", "Alerts come again", "Сповіщення знову надходять"),
        given=Said("now", "Nothing is paused here", "Тут нічого не на паузі"),
        bad=Said("&<>", "Nothing is paused here", "Тут нічого не на паузі"),
        changes=True,
    ),
    Row(
        names=("mydata",),
        purpose="everything that is kept about the chat, as a JSON file",
        bare=Said("", "Everything that I keep about this chat", "Усе, що я зберігаю про цей чат"),
        given=Said("json", "Everything that I keep about this chat", "Усе, що я зберігаю про цей чат"),
        bad=Said("&<>", "Everything that I keep about this chat", "Усе, що я зберігаю про цей чат"),
        changes=True,
    ),
    Row(
        names=("forgetme",),
        purpose="erase it, after a confirmation",
        bare=Said("", "Shall I erase everything that I keep", "Стерти все, що я зберігаю"),
        given=Said("now", "Shall I erase everything that I keep", "Стерти все, що я зберігаю"),
        bad=Said("&<>", "Shall I erase everything that I keep", "Стерти все, що я зберігаю"),
        changes=True,
    ),
    Row(
        names=("privacy",),
        purpose="what is kept, why, and for how long",
        bare=Said("", "What I keep about this chat, and why", "Що я зберігаю про цей чат і навіщо"),
        given=Said("please", "waits 30 days for their return", "чекає на повернення 30 днів"),
        bad=Said("&<>", "What I keep about this chat, and why", "Що я зберігаю про цей чат і навіщо"),
    ),
)  # fmt: skip


def page() -> str:
    """The page of the documentation."""
    lines = [
        "# The reader's commands",
        "",
        "In English and Ukrainian, by the chat's language. Each also works bare: it then asks, or shows buttons. In groups",
        "the bot hears commands, also as `/sub@name_of_the_bot`; in a channel its administrators post them, and are",
        "answered without a sound. *Administrators*: of that group, asked of Telegram each time (its word is taken for a",
        "minute); anonymous ones too. *Topic*: each topic of a forum has its own; what is of the chat is one for all topics.",
        "",
        "Channels can be looked after in a private chat too: `/channels` chooses one, and for an hour every command is for it.",
        "",
        "This page is made from the table that the end-to-end tests play: every command and spelling, in every place, in",
        "both languages, bare, with arguments and with bad ones.",
        "",
        "| command | other spellings | for | concerns | private | group | channel | topic |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        first, *others = (f"`/{name}`" for name in row.names)
        who = "administrators" if row.changes else "anyone"
        of = {"chat": "the chat", "topic": "the topic, or the chat", "articles": "the same everywhere"}[row.of]
        places = ["anyone", who, "administrators", who]
        lines.append(f"| {first} | {' '.join(others)} | {row.purpose} | {of} | {' | '.join(places)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
