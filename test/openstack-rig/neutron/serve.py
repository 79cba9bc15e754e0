"""Runs neutron-server on the database of its configuration, which is made first; migrations do not run on SQLite."""

from neutron.cmd.eventlet.server import main
from neutron.db.migration.models import head
import sqlalchemy
import sys

engine = sqlalchemy.create_engine(sys.argv.pop())
head.get_metadata().create_all(engine)
engine.dispose()
main()
