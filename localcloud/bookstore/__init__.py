"""A bookstore that is made up from a seed, and the events that it sends to Kafka."""
