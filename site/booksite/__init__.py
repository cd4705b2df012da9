"""What turns the book into its site: checking, executing, building and serving it."""
