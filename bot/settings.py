"""The one reader of files and environment. Everything it returns is frozen; every fault is found at once.

Environment variables win over files. A fault names the file or variable, the key, what is wrong and what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, ValidationError, field_validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIX = "TAGWIRE_"
#: Read by the command line or the tests, not settings of the service.
NOT_SETTINGS = ("TAGWIRE_CONFIG", "TAGWIRE_TEST_")
PACKAGED = Path(__file__).parent / "_config"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1, None: 1, "m": 60, "h": 3600, "d": 86400}


class ConfigError(Exception):
    """The configuration is wrong; `faults` holds one line for each thing that is."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


def _seconds(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("should be a duration such as 90s, 5m or 1h")
        return float(match[1]) * _UNITS[match[2]]
    return value


def _ids(value: object) -> object:
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        wrong = [part for part in parts if not part.isascii() or not part.isdigit()]
        if wrong:
            raise ValueError(f"should be Telegram user ids separated by commas; {wrong[0]!r} is not a number")
        return [int(part) for part in parts]
    return [value] if isinstance(value, int) else value


def _known_zone(value: str) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone; an example is Europe/Kyiv") from None
    return value


Seconds = Annotated[float, BeforeValidator(_seconds)]


class Section(BaseModel):
    """A table of the configuration: frozen, and no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, validate_default=True)


class FetchSettings(Section):
    """How sites are asked."""

    allow_private: bool = False
    timeout: Annotated[Seconds, Field(gt=0, le=300)] = 20
    max_bytes: Annotated[int, Field(ge=10_000)] = 15 * 1024 * 1024
    contact: str = ""
    connections: Annotated[int, Field(ge=1, le=200)] = 20
    per_host: Annotated[int, Field(ge=1, le=10)] = 1
    pause: Annotated[Seconds, Field(ge=0, le=60)] = 0.5
    workers: Annotated[int, Field(ge=1, le=32)] = 1


class PollSettings(Section):
    """When feeds are asked."""

    tick: Annotated[Seconds, Field(ge=0.1, le=3600)] = 5
    page_limit: Annotated[int, Field(ge=0, le=200)] = 20
    page_wait: Annotated[Seconds, Field(ge=1, le=600)] = 20
    floor: Annotated[Seconds, Field(ge=10, le=86_400)] = 60
    effort: Annotated[float, Field(ge=1, le=20)] = 1.5


class DeliverSettings(Section):
    """How the outbox is emptied."""

    in_flight: Annotated[int, Field(ge=1, le=500)] = 8
    batch: Annotated[int, Field(ge=1, le=1000)] = 50
    lease: Annotated[Seconds, Field(ge=10, le=3600)] = 120
    expiry: Annotated[Seconds, Field(ge=60, le=7 * 86_400)] = 12 * 3600
    catch_up_after: Annotated[Seconds, Field(ge=60, le=7 * 86_400)] = 3600
    repeat_hot: bool = True


class TelegramSettings(Section):
    """Telegram's limits, and the way to it."""

    per_second: Annotated[float, Field(ge=0, le=1000)] = 30
    per_chat_second: Annotated[float, Field(ge=0, le=1000)] = 1
    per_group_minute: Annotated[int, Field(ge=0, le=10_000)] = 20
    paid_broadcast: bool = False
    proxy: SecretStr = SecretStr("")

    @field_validator("proxy")
    @classmethod
    def _address_of_proxy(cls, value: SecretStr) -> SecretStr:
        address = r"http://([^\s:@/]+(:[^\s:@/]*)?@)?([^\s:@/]+|\[[\da-fA-F:]+\]):\d{1,5}/?"
        if not re.fullmatch(f"({address})?", value.get_secret_value()):
            raise ValueError("should be http://user:password@host:port, or http://host:port")
        return value

    @property
    def proxy_password(self) -> str:
        """As it stands in the address; empty without one."""
        return self.proxy.get_secret_value().rpartition("@")[0].rpartition(":")[2].removeprefix("//")


class ReaderSettings(Section):
    """What a new reader starts with."""

    time_zone: str = "Europe/Kyiv"
    language: Literal["en", "uk"] = "en"
    max_rules: Annotated[int, Field(ge=1, le=10_000)] = 200
    offer_quiet: bool = True
    burst: Annotated[int, Field(ge=0, le=1000)] = 5
    burst_window: Seconds = 600.0

    _known_zone = field_validator("time_zone")(_known_zone)


class NewsroomSettings(Section):
    """How hot news is sent."""

    second_person: bool = False
    countdown: Annotated[Seconds, Field(ge=0, le=600)] = 10
    time_zone: str = "Europe/Kyiv"
    daily_limit: Annotated[int, Field(ge=0, le=1000)] = 2

    _known_zone = field_validator("time_zone")(_known_zone)


class WebSettings(Section):
    """Health and metrics over HTTP; port 0 is off."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$")] = ""


class LogSettings(Section):
    """What is logged, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False


class Settings(Section):
    """Every setting of the service."""

    token: SecretStr | None = None
    admins: Annotated[frozenset[Annotated[int, Field(gt=0)]], BeforeValidator(_ids)] = frozenset()
    database: str = "sqlite:///data/tagwire.db"
    api_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] = "https://api.telegram.org"
    fetch: FetchSettings = FetchSettings()
    poll: PollSettings = PollSettings()
    deliver: DeliverSettings = DeliverSettings()
    telegram: TelegramSettings = TelegramSettings()
    readers: ReaderSettings = ReaderSettings()
    newsroom: NewsroomSettings = NewsroomSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()

    @field_validator("database")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not cls.names_database(value):
            raise ValueError("should be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return value

    @staticmethod
    def names_database(value: str) -> bool:
        """Whether this is an address of a database that we know."""
        return re.match(r"(sqlite:///.+|sqlite://$|postgresql://.+)", value) is not None

    @field_validator("token")
    @classmethod
    def _shape_of_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not re.fullmatch(r"\d+:[\w-]{20,}", value.get_secret_value(), re.ASCII):
            raise ValueError("does not look like a token of @BotFather (123456:ABC...)")
        return value

    @property
    def database_shown(self) -> str:
        """The database's address without a password."""
        return re.sub(r"//([^:/@]+):[^@/]*@", r"//\1:***@", self.database)


def is_web_address(value: str) -> bool:
    """Whether this is an address that a feed can have."""
    try:
        HttpUrl(value)
    except ValidationError:
        return False
    return True


class FeedSettings(Section):
    """One `[[feed]]` of feeds.toml."""

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")]
    url: str
    title: str = ""
    language: Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]+)*)?$")] = ""
    tags: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    every: Annotated[int, BeforeValidator(_seconds), Field(ge=30, le=7 * 86400)] = 300
    pages: Literal["never", "when-untagged", "always"] = "never"
    tag_selector: str = ""
    folder: tuple[str, ...] = ()

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError(f"{value!r} is not an http or https address")
        return value


class TagSettings(Section):
    """One table of tags.toml."""

    slug: str
    title: dict[str, str] = {}
    names: dict[str, tuple[str, ...]] = {}
    signs: dict[str, tuple[str, ...]] = {}
    unlike: dict[str, tuple[str, ...]] = {}
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured, and the folder it came from."""

    settings: Settings
    feeds: tuple[FeedSettings, ...]
    tags: tuple[TagSettings, ...]
    folder: Path


def load(config_dir: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the folder and the environment. Raises ConfigError with every fault of all of them."""
    folder = config_dir or (Path(environ["TAGWIRE_CONFIG"]) if environ.get("TAGWIRE_CONFIG") else _default_folder())
    if not folder.is_dir():
        raise ConfigError([f"{folder}: there is no such folder; name one with --config DIR or TAGWIRE_CONFIG"])
    faults: list[str] = []
    settings = _settings(folder / "tagwire.toml", environ, faults)
    feeds = _feeds(folder / "feeds.toml", faults)
    tags = _tags(folder / "tags.toml", faults)
    if faults or settings is None:
        raise ConfigError(faults)
    return Config(settings, feeds, tags, folder)


def _default_folder() -> Path:
    here = Path("config")
    return here if here.is_dir() or not PACKAGED.is_dir() else PACKAGED


def _table(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.append(f"{path}: there is no such file")
    except UnicodeDecodeError as error:
        faults.append(f"{path}: is not UTF-8 text (byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path}: {error}")
    except OSError as error:
        faults.append(f"{path}: cannot be read: {error.strerror}")
    return {}


def _settings(path: Path, environ: Mapping[str, str], faults: list[str]) -> Settings | None:
    values = _table(path, faults)
    if values.pop("token", None) is not None:
        faults.append(f"{path}: token: a secret does not belong in a file of settings; use TAGWIRE_TOKEN_FILE")
    _name_unknown_variables(environ, faults)
    from_environment = _environment(environ, faults)
    try:
        return Settings.model_validate(_merged(values, from_environment))
    except ValidationError as error:
        faults.extend(_settings_faults(error, path, from_environment))
        return None


def _environment(environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """The settings that the environment makes; an empty variable is an unset one."""
    values: dict[str, Any] = {}
    for name in sorted(_known_variables() & {name for name, value in environ.items() if value}):
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        if key:
            values.setdefault(section, {})[key] = environ[name]
        elif section != "token_file":
            values[section] = environ[name]
    if (path := environ.get("TAGWIRE_TOKEN_FILE")) and "token" not in values:
        try:
            values["token"] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"TAGWIRE_TOKEN_FILE: {path}: cannot be read: {getattr(error, 'strerror', None) or error}")
    return values


def _known_variables() -> set[str]:
    known = {"TAGWIRE_TOKEN_FILE"}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            known |= {f"{PREFIX}{name}__{key}".upper() for key in kind.model_fields}
        else:
            known.add(f"{PREFIX}{name}".upper())
    return known


def _name_unknown_variables(environ: Mapping[str, str], faults: list[str]) -> None:
    known = _known_variables()
    unknown = {name for name in environ if name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS)} - known
    faults.extend(f"{name}: there is no such setting{_meant(name, known)}" for name in sorted(unknown))


def _meant(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return merged


def _settings_faults(error: ValidationError, path: Path, from_environment: dict[str, Any]) -> list[str]:
    lines = []
    for fault in error.errors():
        where = [str(part) for part in fault["loc"]]
        top = from_environment.get(where[0])
        came_from_environment = top is not None and (not isinstance(top, dict) or (len(where) > 1 and where[1] in top))
        place = (PREFIX + "__".join(where[:2])).upper() if came_from_environment else f"{path}: {'.'.join(where)}"
        model = Settings if len(where) == 1 else Settings.model_fields[where[0]].annotation
        lines.append(f"{place}: {_said(fault, getattr(model, 'model_fields', {}))}")
    return lines


def _said(fault: Any, known: Iterable[str]) -> str:
    if fault["type"] == "extra_forbidden":
        return f"there is no such key{_meant(str(fault['loc'][-1]), known)}"
    message = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    given = repr(fault["input"])
    said_already = "token" in fault["loc"] or isinstance(fault["input"], dict) or given in message
    return message if said_already else f"{message} (it is {given})"


def _table_faults(error: ValidationError, place: str, model: type[Section]) -> list[str]:
    return [
        f"{place}: {'.'.join(str(part) for part in fault['loc'])}: {_said(fault, model.model_fields)}"
        for fault in error.errors()
    ]


def _feeds(path: Path, faults: list[str]) -> tuple[FeedSettings, ...]:
    table = _table(path, faults)
    faults.extend(
        f"{path}: {key}: there is no such key; feeds are written as [[feed]]" for key in table if key != "feed"
    )
    raw = table.get("feed", [])
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        faults.append(f"{path}: feed: feeds are written as [[feed]] tables")
        return ()
    feeds, seen = [], set()
    for number, one in enumerate(raw, 1):
        name = one.get("name", f"number {number}")
        try:
            feed = FeedSettings.model_validate(one)
        except ValidationError as error:
            faults.extend(_table_faults(error, f"{path}: feed {name!r}", FeedSettings))
            continue
        if feed.name in seen:
            faults.append(f"{path}: feed {feed.name!r}: two feeds have this name; each needs its own")
        seen.add(feed.name)
        feeds.append(feed)
    return tuple(feeds)


def _tags(path: Path, faults: list[str]) -> tuple[TagSettings, ...]:
    tags = []
    for slug, value in _table(path, faults).items():
        if not isinstance(value, dict):
            faults.append(f"{path}: {slug}: a tag is written as a table: [{slug}]")
            continue
        try:
            tags.append(TagSettings.model_validate({**value, "slug": slug}))
        except ValidationError as error:
            faults.extend(_table_faults(error, f"{path}: [{slug}]", TagSettings))
    return tuple(tags)
