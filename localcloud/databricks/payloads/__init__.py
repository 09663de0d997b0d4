"""What the Jobs and Clusters APIs accept; numbers may arrive as text, as the Airflow provider sends them."""
