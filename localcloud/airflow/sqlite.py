"""How Airflow's processes share one SQLite file."""

# A writer waits for its turn; the five seconds that SQLite waits by default are too few for a busy laptop.
CONNECT_ARGS = {"timeout": 60}
