"""The store: one small store for each noun, over one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.added import AddedFeeds
from bot.store.alarms import Alarms
from bot.store.articles import Articles
from bot.store.audit import Audit
from bot.store.broadcasts import Broadcasts
from bot.store.chats import Chats
from bot.store.days import Days
from bot.store.fanouts import FanOuts
from bot.store.feedbook import FeedBook
from bot.store.feeds import Feeds
from bot.store.hooks import Hooks
from bot.store.managers import Managers
from bot.store.material import Materials
from bot.store.outbox import Outbox
from bot.store.pages import Pages
from bot.store.privacy import Privacy
from bot.store.rules import Rules
from bot.store.runs import Runs
from bot.store.search import Search
from bot.store.staff import Staff
from bot.store.stats import Statistics

if TYPE_CHECKING:
    from bot.store.database import Database


class Store:
    """Everything that is kept."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.feeds = Feeds(database)
        self.alarms = Alarms(database)
        self.feedbook = FeedBook(database)
        self.days = Days(database)
        self.added = AddedFeeds(database)
        self.hooks = Hooks(database)
        self.articles = Articles(database)
        self.pages = Pages(database)
        self.chats = Chats(database)
        self.managers = Managers(database)
        self.rules = Rules(database)
        self.privacy = Privacy(database)
        self.outbox = Outbox(database)
        self.fanouts = FanOuts(database)
        self.materials = Materials(database)
        self.broadcasts = Broadcasts(database)
        self.runs = Runs(database)
        self.staff = Staff(database)
        self.audit = Audit(database)
        self.search = Search(database)
        self.stats = Statistics(database)
