// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Batches read calls. Written for defirisk; it answers the same call shape as
/// Multicall3.aggregate3, so that one encoder serves both. It is never deployed:
/// its runtime code is put at an address for the length of one eth_call.
///
/// - A call that reverts yields (false, its revert data), if its allowFailure is set.
/// - If allowFailure is not set, the whole batch reverts with CallFailed, which names
///   the call and carries its revert data.
/// - No value is sent. An address without code answers (true, ""), as any EVM call does:
///   the caller must check the length of the data before decoding it.
contract Aggregate3 {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    error CallFailed(uint256 index, bytes returnData);

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData) {
        uint256 count = calls.length;
        returnData = new Result[](count);
        for (uint256 i = 0; i < count; i++) {
            (bool success, bytes memory data) = calls[i].target.call(calls[i].callData);
            if (!success && !calls[i].allowFailure) revert CallFailed(i, data);
            returnData[i] = Result(success, data);
        }
    }
}
