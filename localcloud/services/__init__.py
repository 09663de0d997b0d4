"""What a local cloud consists of: how each service is started, and how one sees that it works."""
