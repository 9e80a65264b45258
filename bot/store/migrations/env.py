"""Alembic's way in: the connection comes from ``bot.store.engine.upgrade``."""

from alembic import context

from bot.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
