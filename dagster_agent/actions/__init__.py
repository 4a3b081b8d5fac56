"""What goes out, always through the autonomy guard."""
