"""What a terminal shows: tables and sentences."""
