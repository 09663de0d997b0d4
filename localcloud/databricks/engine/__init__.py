"""What executes runs: clusters that are Spark Connect servers, and tasks that are processes."""
