"""Systems that issue debt against collateral: troves and urns."""
