#include "platform/dwarf_expression.h"

namespace heaprake::platform {
namespace {

constexpr uint8_t kRip = 16;

enum Operation : uint8_t {
  kDeref = 0x06,
  kConst1u = 0x08,
  kConst1s,
  kConst2u,
  kConst2s,
  kConst4u,
  kConst4s,
  kConst8u,
  kConst8s,
  kConstu,
  kConsts,
  kAnd = 0x1a,
  kMinus = 0x1c,
  kOr = 0x21,
  kPlus = 0x22,
  kPlusConstant = 0x23,
  kShiftLeft = 0x24,
  kShiftRight = 0x25,
  kEqual = 0x29,
  kGreaterOrEqual,
  kGreater,
  kLessOrEqual,
  kLess,
  kNotEqual,
  kLiteral0 = 0x30,
  kLiteral31 = 0x4f,
  kRegister0 = 0x70,
  kRegister31 = 0x8f
};

class Evaluator {
 public:
  Evaluator(DwarfReader code, uintptr_t pc) : code_(code), pc_(pc) {}

  bool run(DwarfValue* result) {
    while (!code_.at_end()) {
      if (!step(code_.fixed<uint8_t>())) return false;
    }
    if (!code_.ok() || depth_ == 0) return false;
    *result = stack_[depth_ - 1];
    return true;
  }

 private:
  static constexpr int kMaxDepth = 8;

  bool step(uint8_t operation) {
    if (operation >= kLiteral0 && operation <= kLiteral31) return push(operation - kLiteral0);
    if (operation >= kRegister0 && operation <= kRegister31) {
      const auto base = static_cast<uint8_t>(operation - kRegister0);
      const int64_t offset = code_.sleb();
      if (base == kRip) return push(static_cast<int64_t>(pc_) + offset);
      return push({DwarfValue::kRegister, base, offset, 0});
    }
    switch (operation) {
      case kDeref:
        return dereference();
      case kConst1u:
        return push(code_.fixed<uint8_t>());
      case kConst1s:
        return push(code_.fixed<int8_t>());
      case kConst2u:
        return push(code_.fixed<uint16_t>());
      case kConst2s:
        return push(code_.fixed<int16_t>());
      case kConst4u:
        return push(code_.fixed<uint32_t>());
      case kConst4s:
        return push(code_.fixed<int32_t>());
      case kConst8u:
      case kConst8s:
        return push(code_.fixed<int64_t>());
      case kConstu:
        return push(static_cast<int64_t>(code_.uleb()));
      case kConsts:
        return push(code_.sleb());
      case kPlusConstant:
        return push(static_cast<int64_t>(code_.uleb())) && combine(kPlus);
      default:
        return combine(operation);
    }
  }

  bool push(int64_t number) { return push(DwarfValue{DwarfValue::kNumber, 0, number, 0}); }
  bool push(DwarfValue value) {
    if (depth_ == kMaxDepth) return false;
    stack_[depth_++] = value;
    return true;
  }

  bool dereference() {
    if (depth_ == 0 || stack_[depth_ - 1].kind != DwarfValue::kRegister) return false;
    stack_[depth_ - 1].kind = DwarfValue::kWordAtRegister;
    return true;
  }

  // Takes two values off the stack. Whatever is not a number can only be added to.
  bool combine(uint8_t operation) {
    if (depth_ < 2) return false;
    DwarfValue right = stack_[--depth_];
    DwarfValue& left = stack_[depth_ - 1];
    if (operation == kPlus && left.kind == DwarfValue::kNumber) {
      const DwarfValue number = left;
      left = right;
      right = number;
    }
    if (right.kind != DwarfValue::kNumber) return false;
    if (operation == kPlus || operation == kMinus) {
      const int64_t change = operation == kPlus ? right.offset : -right.offset;
      (left.kind == DwarfValue::kWordAtRegister ? left.extra : left.offset) += change;
      return true;
    }
    return left.kind == DwarfValue::kNumber &&
           calculate(operation, left.offset, right.offset, &left.offset);
  }

  static bool calculate(uint8_t operation, int64_t a, int64_t b, int64_t* result) {
    switch (operation) {
      case kAnd:
        return *result = a & b, true;
      case kOr:
        return *result = a | b, true;
      case kShiftLeft:
        return *result = b < 64 ? static_cast<int64_t>(static_cast<uint64_t>(a) << b) : 0, true;
      case kShiftRight:
        return *result = b < 64 ? static_cast<int64_t>(static_cast<uint64_t>(a) >> b) : 0, true;
      case kEqual:
        return *result = a == b, true;
      case kGreaterOrEqual:
        return *result = a >= b, true;
      case kGreater:
        return *result = a > b, true;
      case kLessOrEqual:
        return *result = a <= b, true;
      case kLess:
        return *result = a < b, true;
      case kNotEqual:
        return *result = a != b, true;
      default:
        return false;
    }
  }

  DwarfReader code_;
  uintptr_t pc_;
  DwarfValue stack_[kMaxDepth];
  int depth_ = 0;
};

}  // namespace

bool evaluate(DwarfReader code, uintptr_t pc, DwarfValue* result) {
  return Evaluator(code, pc).run(result);
}

}  // namespace heaprake::platform
