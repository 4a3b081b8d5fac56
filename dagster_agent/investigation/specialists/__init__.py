"""Who is asked when no known pattern explains an incident."""
