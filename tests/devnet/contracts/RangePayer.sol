// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IRangePool {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function mint(address recipient, int24 lower, int24 upper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
}

/// Pays for liquidity that a pool of Uniswap v3 writes straight to the caller's name, without the
/// position manager: a pool asks whoever calls `mint` for the tokens, and an account cannot answer.
/// Anybody may take what somebody allowed to it, so it is for the local chain only.
contract RangePayer {
    function mint(IRangePool pool, int24 lower, int24 upper, uint128 amount) external {
        pool.mint(msg.sender, lower, upper, amount, abi.encode(msg.sender));
    }

    function uniswapV3MintCallback(uint256 owed0, uint256 owed1, bytes calldata data) external {
        address payer = abi.decode(data, (address));
        IRangePool pool = IRangePool(msg.sender);
        if (owed0 > 0) IToken(pool.token0()).transferFrom(payer, msg.sender, owed0);
        if (owed1 > 0) IToken(pool.token1()).transferFrom(payer, msg.sender, owed1);
    }
}
