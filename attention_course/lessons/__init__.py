"""What belongs to one lesson alone: its words, its exercises, its experiments. A folder each."""
