"""What a person looks at after a run: the page, the plan, the pictures."""
