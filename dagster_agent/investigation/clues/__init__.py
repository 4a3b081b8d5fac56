"""What bug patterns read from code, history and schemas: each module answers one question."""
