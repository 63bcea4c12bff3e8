"""What lying to an oracle costs and earns: exact pools, means over time, and what can be borrowed.

Axes and units: dollars at market prices (`book.asset_price`), factors on prices (1 stays).
"""
