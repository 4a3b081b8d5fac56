"""How far the agent may go by itself: tiers, limits, and the guard that every write passes."""
