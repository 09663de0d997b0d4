"""What DAGs tell each other about."""

from airflow.sdk import Asset

BRONZE = Asset(name="bookstore.bronze", extra={"layer": "bronze"})
"""New rows in the bronze tables; an event says how many."""
