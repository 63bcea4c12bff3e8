// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ERC20, ERC4626, IERC20Metadata, Math} from '@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol';
import {Id, IMorpho, Market, MarketParams} from 'morpho/interfaces/IMorpho.sol';
import {MarketParamsLib} from 'morpho/libraries/MarketParamsLib.sol';
import {SharesMathLib} from 'morpho/libraries/SharesMathLib.sol';
import {MorphoBalancesLib} from 'morpho/libraries/periphery/MorphoBalancesLib.sol';

struct MarketConfig {
  uint184 cap;
  bool enabled;
  uint64 removableAt;
}

struct PendingUint192 {
  uint192 value;
  uint64 validAt;
}

struct MarketAllocation {
  MarketParams marketParams;
  uint256 assets;
}

/// A stand-in for MetaMorpho, whose package is published empty: one loan token, lent to several
/// markets of Morpho Blue. Views, events and roundings are MetaMorpho's as far as an indexer sees
/// them; guardian, skimming and forced removals are left out.
contract AllocatorVault is ERC4626 {
  using MarketParamsLib for MarketParams;
  using MorphoBalancesLib for IMorpho;
  using SharesMathLib for uint256;

  uint256 private constant WAD = 1e18;
  uint256 private constant MAX_FEE = 0.5e18;
  IMorpho public immutable MORPHO;
  uint8 public immutable DECIMALS_OFFSET;
  address public immutable owner;
  uint256 public immutable timelock;
  address public curator;
  mapping(address => bool) public isAllocator;
  mapping(Id => MarketConfig) public config;
  mapping(Id => PendingUint192) public pendingCap;
  uint96 public fee;
  address public feeRecipient;
  Id[] public supplyQueue;
  Id[] public withdrawQueue;
  uint256 public lastTotalAssets;

  event SetTimelock(address indexed caller, uint256 newTimelock);
  event SetFee(address indexed caller, uint256 newFee);
  event SetFeeRecipient(address indexed newFeeRecipient);
  event SubmitCap(address indexed caller, Id indexed id, uint256 cap);
  event SetCap(address indexed caller, Id indexed id, uint256 cap);
  event UpdateLastTotalAssets(uint256 updatedTotalAssets);
  event SetCurator(address indexed newCurator);
  event SetIsAllocator(address indexed allocator, bool isAllocator);
  event SetSupplyQueue(address indexed caller, Id[] newSupplyQueue);
  event SetWithdrawQueue(address indexed caller, Id[] newWithdrawQueue);
  event ReallocateSupply(address indexed caller, Id indexed id, uint256 suppliedAssets, uint256 suppliedShares);
  event ReallocateWithdraw(address indexed caller, Id indexed id, uint256 withdrawnAssets, uint256 withdrawnShares);
  event AccrueInterest(uint256 newTotalAssets, uint256 feeShares);

  modifier only(bool allowed) {
    require(allowed || msg.sender == owner, 'not allowed');
    _;
  }

  constructor(address owner_, IMorpho morpho, uint256 lock, IERC20Metadata token, string memory words, string memory symbol_)
    ERC20(words, symbol_)
    ERC4626(token)
  {
    (MORPHO, owner, timelock) = (morpho, owner_, lock);
    DECIMALS_OFFSET = 18 - token.decimals();
    token.approve(address(morpho), type(uint256).max);
    emit SetTimelock(msg.sender, lock);
  }

  function setCurator(address newCurator) external only(false) {
    curator = newCurator;
    emit SetCurator(newCurator);
  }

  function setIsAllocator(address allocator, bool allowed) external only(false) {
    isAllocator[allocator] = allowed;
    emit SetIsAllocator(allocator, allowed);
  }

  function setFee(uint256 newFee) external only(false) {
    require(newFee <= MAX_FEE && (newFee == 0 || feeRecipient != address(0)), 'bad fee');
    update(accrue());
    fee = uint96(newFee);
    emit SetFee(msg.sender, newFee);
  }

  function setFeeRecipient(address newFeeRecipient) external only(false) {
    update(accrue());
    feeRecipient = newFeeRecipient;
    emit SetFeeRecipient(newFeeRecipient);
  }

  /// A lower cap holds at once, a higher one when it was accepted after the timelock.
  function submitCap(MarketParams memory market, uint256 cap) external only(msg.sender == curator) {
    Id id = market.id();
    require(market.loanToken == asset() && pendingCap[id].validAt == 0, 'not now');
    if (cap < config[id].cap) return setCap(market, id, cap);
    pendingCap[id] = PendingUint192(uint184(cap), uint64(block.timestamp + timelock));
    emit SubmitCap(msg.sender, id, cap);
  }

  function acceptCap(MarketParams memory market) external {
    PendingUint192 memory pending = pendingCap[market.id()];
    require(pending.validAt != 0 && pending.validAt <= block.timestamp, 'timelock');
    setCap(market, market.id(), pending.value);
  }

  function setSupplyQueue(Id[] calldata queue) external only(manages()) {
    for (uint256 i; i < queue.length; ++i) require(config[queue[i]].cap > 0, 'no cap');
    supplyQueue = queue;
    emit SetSupplyQueue(msg.sender, queue);
  }

  /// Only reorders, and drops markets that have neither a cap nor assets of ours.
  function updateWithdrawQueue(uint256[] calldata indexes) external only(manages()) {
    Id[] memory before = withdrawQueue;
    Id[] memory queue = new Id[](indexes.length);
    for (uint256 i; i < indexes.length; ++i) {
      queue[i] = before[indexes[i]];
      require(config[queue[i]].enabled, 'twice');
      config[queue[i]].enabled = false;
    }
    for (uint256 i; i < before.length; ++i) {
      if (!config[before[i]].enabled) continue;
      require(config[before[i]].cap == 0 && supplied(before[i]) == 0, 'in use');
      delete config[before[i]];
    }
    for (uint256 i; i < queue.length; ++i) config[queue[i]].enabled = true;
    withdrawQueue = queue;
    emit SetWithdrawQueue(msg.sender, queue);
  }

  /// Each allocation says what is to be lent to a market afterwards; the greatest number means the
  /// rest of what was withdrawn before it.
  function reallocate(MarketAllocation[] calldata allocations) external only(manages()) {
    uint256 totalSupplied;
    uint256 totalWithdrawn;
    for (uint256 i; i < allocations.length; ++i) {
      (MarketParams memory market, uint256 wanted) = (allocations[i].marketParams, allocations[i].assets);
      Id id = market.id();
      MORPHO.accrueInterest(market);
      uint256 now_ = MORPHO.expectedSupplyAssets(market, address(this));
      if (wanted < now_) {
        require(config[id].enabled, 'not enabled');
        // All by shares, so that nothing stays behind.
        (uint256 assets, uint256 shares) = wanted == 0 ? (uint256(0), supplied(id)) : (now_ - wanted, uint256(0));
        (assets, shares) = MORPHO.withdraw(market, assets, shares, address(this), address(this));
        emit ReallocateWithdraw(msg.sender, id, assets, shares);
        totalWithdrawn += assets;
      } else {
        uint256 more = wanted == type(uint256).max ? floorSub(totalWithdrawn, totalSupplied) : wanted - now_;
        if (more == 0) continue;
        require(now_ + more <= config[id].cap, 'cap');
        (, uint256 shares) = MORPHO.supply(market, more, 0, address(this), '');
        emit ReallocateSupply(msg.sender, id, more, shares);
        totalSupplied += more;
      }
    }
    require(totalSupplied == totalWithdrawn, 'inconsistent');
  }

  function deposit(uint256 assets, address receiver) public override returns (uint256) {
    lastTotalAssets = accrue();
    return super.deposit(assets, receiver);
  }

  function mint(uint256 shares, address receiver) public override returns (uint256) {
    lastTotalAssets = accrue();
    return super.mint(shares, receiver);
  }

  function withdraw(uint256 assets, address receiver, address holder) public override returns (uint256) {
    lastTotalAssets = accrue();
    return super.withdraw(assets, receiver, holder);
  }

  function redeem(uint256 shares, address receiver, address holder) public override returns (uint256) {
    lastTotalAssets = accrue();
    return super.redeem(shares, receiver, holder);
  }

  /// What all markets owe the vault with the interest of this moment. Idle tokens do not count.
  function totalAssets() public view override returns (uint256 assets) {
    for (uint256 i; i < withdrawQueue.length; ++i) {
      assets += MORPHO.expectedSupplyAssets(MORPHO.idToMarketParams(withdrawQueue[i]), address(this));
    }
  }

  function supplyQueueLength() external view returns (uint256) {
    return supplyQueue.length;
  }

  function withdrawQueueLength() external view returns (uint256) {
    return withdrawQueue.length;
  }

  function _decimalsOffset() internal view override returns (uint8) {
    return DECIMALS_OFFSET;
  }

  function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
    (uint256 feeShares, uint256 total) = due();
    return Math.mulDiv(assets, totalSupply() + feeShares + 10 ** DECIMALS_OFFSET, total + 1, rounding);
  }

  function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
    (uint256 feeShares, uint256 total) = due();
    return Math.mulDiv(shares, total + 1, totalSupply() + feeShares + 10 ** DECIMALS_OFFSET, rounding);
  }

  /// Into the markets of the supply queue, each up to its cap.
  function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
    super._deposit(caller, receiver, assets, shares);
    uint256 left = assets;
    for (uint256 i; i < supplyQueue.length && left > 0; ++i) {
      MarketParams memory market = MORPHO.idToMarketParams(supplyQueue[i]);
      MORPHO.accrueInterest(market);
      Market memory state = MORPHO.market(supplyQueue[i]);
      uint256 there = supplied(supplyQueue[i]).toAssetsUp(state.totalSupplyAssets, state.totalSupplyShares);
      uint256 part = Math.min(left, floorSub(config[supplyQueue[i]].cap, there));
      if (part > 0) MORPHO.supply(market, part, 0, address(this), '');
      left -= part;
    }
    require(left == 0, 'all caps reached');
    update(lastTotalAssets + assets);
  }

  /// Out of the markets of the withdraw queue, from each what it has idle.
  function _withdraw(address caller, address receiver, address holder, uint256 assets, uint256 shares)
    internal
    override
  {
    update(floorSub(lastTotalAssets, assets));
    uint256 left = assets;
    for (uint256 i; i < withdrawQueue.length && left > 0; ++i) {
      MarketParams memory market = MORPHO.idToMarketParams(withdrawQueue[i]);
      MORPHO.accrueInterest(market);
      Market memory state = MORPHO.market(withdrawQueue[i]);
      uint256 idle = state.totalSupplyAssets - state.totalBorrowAssets;
      uint256 part = Math.min(left, Math.min(idle, MORPHO.expectedSupplyAssets(market, address(this))));
      if (part > 0) MORPHO.withdraw(market, part, 0, address(this), address(this));
      left -= part;
    }
    require(left == 0, 'not enough liquidity');
    super._withdraw(caller, receiver, holder, assets, shares);
  }

  function setCap(MarketParams memory market, Id id, uint256 cap) private {
    if (cap > 0 && !config[id].enabled) {
      withdrawQueue.push(id);
      config[id].enabled = true;
      update(lastTotalAssets + MORPHO.expectedSupplyAssets(market, address(this)));
      emit SetWithdrawQueue(msg.sender, withdrawQueue);
    }
    config[id].cap = uint184(cap);
    emit SetCap(msg.sender, id, cap);
    delete pendingCap[id];
  }

  function accrue() private returns (uint256 total) {
    uint256 feeShares;
    (feeShares, total) = due();
    if (feeShares > 0) _mint(feeRecipient, feeShares);
    emit AccrueInterest(total, feeShares);
  }

  /// The fee on what was earned since the last time, in shares. Losses are not made good for.
  function due() private view returns (uint256 feeShares, uint256 total) {
    total = totalAssets();
    uint256 part = Math.mulDiv(floorSub(total, lastTotalAssets), fee, WAD);
    feeShares = Math.mulDiv(part, totalSupply() + 10 ** DECIMALS_OFFSET, total - part + 1);
  }

  function update(uint256 total) private {
    lastTotalAssets = total;
    emit UpdateLastTotalAssets(total);
  }

  function manages() private view returns (bool) {
    return isAllocator[msg.sender] || msg.sender == curator;
  }

  function supplied(Id id) private view returns (uint256) {
    return MORPHO.position(id, address(this)).supplyShares;
  }

  function floorSub(uint256 x, uint256 y) private pure returns (uint256) {
    return x > y ? x - y : 0;
  }
}
