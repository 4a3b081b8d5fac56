"""The shop that the example location loads: the same rows on every machine, growing day by day."""

from assets.shop.world.world import ShopState, World

__all__ = ["ShopState", "World"]
