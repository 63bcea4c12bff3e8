"""Sovryn Zero, a Liquity v1: troves, redemptions and the pool that absorbs what is liquidated."""
