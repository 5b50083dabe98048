// From a code address to its unwind rule:
//
//   .eh_frame_hdr  (address, entry) pairs in order of address   -> binary search
//   .eh_frame      FDE: one function, instructions;  CIE: what many FDEs begin with
//
// The instructions tell row by row, with growing addresses, where the registers are. Only three
// matter here: the CFA, the return address, and rbp, which other functions' CFAs build upon.
#include "platform/eh_frame.h"

#include "platform/dwarf_expression.h"
#include "platform/dwarf_reader.h"

namespace heaprake::platform {
namespace {

constexpr uint8_t kRbp = 6, kRsp = 7, kRip = 16;
constexpr uint8_t kOmitted = 0xff;
constexpr uint8_t kTableEncoding = 0x3b;  // datarel, sdata4: what every linker writes

struct Cie {
  uint64_t code_unit = 1;
  int64_t data_unit = 1;
  uint8_t address_encoding = 0;
  bool signal_frame = false;
  bool has_augmentation = false;
  const uint8_t* instructions = nullptr;
  const uint8_t* end = nullptr;
};

struct Fde {
  Cie cie;
  uintptr_t start = 0;
  const uint8_t* instructions = nullptr;
  const uint8_t* end = nullptr;
};

// One register's rule: where the caller's value is.
struct Place {
  enum Kind : uint8_t { kSame, kUndefined, kAtCfa, kAtExpression, kElsewhere } kind = kSame;
  int64_t offset = 0;
  const uint8_t* expression = nullptr;
  const uint8_t* end = nullptr;
};

struct Row {
  bool cfa_is_expression = false;
  uint64_t cfa_register = kRsp;
  int64_t cfa_offset = 0;
  const uint8_t* expression = nullptr;
  const uint8_t* end = nullptr;
  Place bp, ip;
};

// The entry's bytes after its length field, up to where it ends. The end of the section is not
// known; an entry must lie within the module.
DwarfReader entry_at(const uint8_t* at, const Range& image) {
  const auto address = reinterpret_cast<uintptr_t>(at);
  if (address < image.lo || image.hi - address < 16 || address >= image.hi)
    return DwarfReader(at, at);
  DwarfReader header(at, at + 12);
  uint64_t length = header.fixed<uint32_t>();
  if (length == 0xffffffff) length = header.fixed<uint64_t>();
  const auto body = reinterpret_cast<uintptr_t>(header.at());
  if (length == 0 || length > image.hi - body) return DwarfReader(at, at);
  return DwarfReader(header.at(), header.at() + length);
}

bool read_augmentation(DwarfReader& reader, const char* letters, Cie* cie) {
  if (*letters == 0) return true;
  if (*letters != 'z') return false;
  cie->has_augmentation = true;
  const uint64_t length = reader.uleb();
  DwarfReader data(reader.at(), reader.at());
  const uint8_t* start = reader.at();
  reader.skip(length);
  if (!reader.ok()) return false;
  data = DwarfReader(start, reader.at());
  for (++letters; *letters; ++letters) {
    switch (*letters) {
      case 'R':
        cie->address_encoding = data.fixed<uint8_t>();
        break;
      case 'L':
        data.skip(1);
        break;
      case 'P': {
        const auto encoding = data.fixed<uint8_t>();
        data.encoded_number(encoding & 0x0f);
        break;
      }
      case 'S':
        cie->signal_frame = true;
        break;
      default:
        return false;
    }
  }
  return data.ok();
}

bool read_cie(const uint8_t* at, const Range& image, Cie* cie) {
  DwarfReader reader = entry_at(at, image);
  if (reader.fixed<uint32_t>() != 0) return false;  // a CIE's own mark
  const auto version = reader.fixed<uint8_t>();
  if (version != 1 && version != 3) return false;
  const auto* letters = reinterpret_cast<const char*>(reader.at());
  while (reader.fixed<uint8_t>() != 0) {
  }
  cie->code_unit = reader.uleb();
  cie->data_unit = reader.sleb();
  const uint64_t return_column = version == 1 ? reader.fixed<uint8_t>() : reader.uleb();
  if (!reader.ok() || return_column != kRip) return false;
  if (!read_augmentation(reader, letters, cie)) return false;
  cie->instructions = reader.at();
  cie->end = reader.end();
  return reader.ok();
}

// The FDE at `at`, if it is about the address.
bool read_fde(const uint8_t* at, const UnwindTables& tables, uintptr_t address, Fde* fde) {
  DwarfReader reader = entry_at(at, tables.image);
  const uint8_t* back_from = reader.at();
  const auto back = reader.fixed<uint32_t>();
  if (!reader.ok() || back == 0 || !read_cie(back_from - back, tables.image, &fde->cie))
    return false;
  fde->start = reader.encoded(fde->cie.address_encoding, 0);
  const uintptr_t length = reader.encoded_number(fde->cie.address_encoding & 0x0f);
  if (fde->cie.has_augmentation) reader.skip(reader.uleb());
  fde->instructions = reader.at();
  fde->end = reader.end();
  return reader.ok() && address - fde->start < length;
}

const uint8_t* find_fde(const UnwindTables& tables, uintptr_t address) {
  struct Pair {
    int32_t start, entry;  // from the index's own address on
  };
  const auto base = reinterpret_cast<uintptr_t>(tables.index);
  if (base < tables.image.lo || base >= tables.image.hi) return nullptr;
  DwarfReader header(tables.index, reinterpret_cast<const uint8_t*>(tables.image.hi));
  const auto version = header.fixed<uint8_t>();
  const auto section_encoding = header.fixed<uint8_t>();
  const auto count_encoding = header.fixed<uint8_t>();
  const auto table_encoding = header.fixed<uint8_t>();
  if (version != 1 || count_encoding == kOmitted || table_encoding != kTableEncoding)
    return nullptr;
  header.encoded(section_encoding, base);
  const uintptr_t count = header.encoded(count_encoding, base);
  if (!header.ok() || count > (tables.image.hi - base) / sizeof(Pair)) return nullptr;
  const auto* pairs = reinterpret_cast<const Pair*>(header.at());
  const auto wanted = static_cast<int64_t>(address - base);
  size_t low = 0, high = count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (pairs[middle].start <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? nullptr : tables.index + pairs[low - 1].entry;
}

// Runs instructions until the row of one address is complete.
class CfaMachine {
 public:
  CfaMachine(const Fde& fde, uintptr_t address) : fde_(fde), address_(address), at_(fde.start) {}

  bool run(Row* row) {
    if (!execute(DwarfReader(fde_.cie.instructions, fde_.cie.end))) return false;
    initial_ = row_;
    if (!execute(DwarfReader(fde_.instructions, fde_.end))) return false;
    *row = row_;
    return true;
  }

 private:
  static constexpr int kMaxRemembered = 3;  // compilers nest one

  // false: an instruction that is not understood. Stops early at the first row behind the address.
  bool execute(DwarfReader code) {
    while (!code.at_end()) {
      const auto byte = code.fixed<uint8_t>();
      const uint8_t low = byte & 0x3f;
      bool go_on = true;
      switch (byte & 0xc0) {
        case 0x40:
          go_on = advance(low);
          break;
        case 0x80:
          set(low, {Place::kAtCfa, static_cast<int64_t>(code.uleb()) * fde_.cie.data_unit});
          break;
        case 0xc0:
          restore(low);
          break;
        default:
          if (!execute_extended(low, code, &go_on)) return false;
      }
      if (!code.ok()) return false;
      if (!go_on) return true;
    }
    return code.ok();
  }

  bool advance(uint64_t units) {
    at_ += units * fde_.cie.code_unit;
    return at_ <= address_;
  }

  bool execute_extended(uint8_t operation, DwarfReader& code, bool* go_on) {
    const int64_t unit = fde_.cie.data_unit;
    uint64_t reg;
    switch (operation) {
      case 0x00:  // nop
        return true;
      case 0x01:  // set_loc
        at_ = code.encoded(fde_.cie.address_encoding, 0);
        *go_on = at_ <= address_;
        return true;
      case 0x02:  // advance_loc1, 2, 4
        *go_on = advance(code.fixed<uint8_t>());
        return true;
      case 0x03:
        *go_on = advance(code.fixed<uint16_t>());
        return true;
      case 0x04:
        *go_on = advance(code.fixed<uint32_t>());
        return true;
      case 0x05:  // offset_extended
        reg = code.uleb();
        return set(reg, {Place::kAtCfa, static_cast<int64_t>(code.uleb()) * unit});
      case 0x06:  // restore_extended
        return restore(code.uleb());
      case 0x07:  // undefined
        return set(code.uleb(), {Place::kUndefined});
      case 0x08:  // same_value
        return set(code.uleb(), {Place::kSame});
      case 0x09:  // register
        reg = code.uleb();
        code.uleb();
        return set(reg, {Place::kElsewhere});
      case 0x0a:  // remember_state
        if (remembered_ == kMaxRemembered) return false;
        rows_[remembered_++] = row_;
        return true;
      case 0x0b:  // restore_state
        if (remembered_ == 0) return false;
        row_ = rows_[--remembered_];
        return true;
      case 0x10:  // expression
        reg = code.uleb();
        return set(reg, expression(code));
      case 0x11:  // offset_extended_sf
        reg = code.uleb();
        return set(reg, {Place::kAtCfa, code.sleb() * unit});
      case 0x14:  // val_offset
      case 0x15:  // val_offset_sf
        reg = code.uleb();
        code.uleb();
        return set(reg, {Place::kElsewhere});
      case 0x16:  // val_expression
        reg = code.uleb();
        expression(code);
        return set(reg, {Place::kElsewhere});
      case 0x2e:  // GNU_args_size
        code.uleb();
        return true;
      case 0x2f:  // GNU_negative_offset_extended
        reg = code.uleb();
        return set(reg, {Place::kAtCfa, -static_cast<int64_t>(code.uleb()) * unit});
      default:
        return define_cfa(operation, code);
    }
  }

  bool define_cfa(uint8_t operation, DwarfReader& code) {
    const int64_t unit = fde_.cie.data_unit;
    row_.cfa_is_expression = false;
    switch (operation) {
      case 0x0c:  // def_cfa
        row_.cfa_register = code.uleb();
        row_.cfa_offset = static_cast<int64_t>(code.uleb());
        return true;
      case 0x0d:  // def_cfa_register
        row_.cfa_register = code.uleb();
        return true;
      case 0x0e:  // def_cfa_offset
        row_.cfa_offset = static_cast<int64_t>(code.uleb());
        return true;
      case 0x12:  // def_cfa_sf
        row_.cfa_register = code.uleb();
        row_.cfa_offset = code.sleb() * unit;
        return true;
      case 0x13:  // def_cfa_offset_sf
        row_.cfa_offset = code.sleb() * unit;
        return true;
      case 0x0f: {  // def_cfa_expression
        const Place place = expression(code);
        row_.cfa_is_expression = true;
        row_.expression = place.expression;
        row_.end = place.end;
        return true;
      }
      default:
        return false;
    }
  }

  static Place expression(DwarfReader& code) {
    Place place{Place::kAtExpression};
    const uint64_t length = code.uleb();
    place.expression = code.at();
    code.skip(length);
    place.end = code.at();
    return place;
  }

  Place* place_of(Row& row, uint64_t reg) {
    return reg == kRbp ? &row.bp : reg == kRip ? &row.ip : nullptr;
  }
  bool set(uint64_t reg, Place place) {
    if (Place* known = place_of(row_, reg)) *known = place;
    return true;
  }
  bool restore(uint64_t reg) {
    if (Place* known = place_of(row_, reg)) *known = *place_of(initial_, reg);
    return true;
  }

  const Fde& fde_;
  const uintptr_t address_;
  uintptr_t at_;
  Row row_, initial_, rows_[kMaxRemembered];
  int remembered_ = 0;
};

bool fits(int64_t value, int32_t most) {
  return -most <= value && value <= most;
}

bool compile_cfa(const Row& row, uintptr_t address, UnwindRule* rule) {
  DwarfValue value{DwarfValue::kRegister, static_cast<uint8_t>(row.cfa_register & 0xff),
                   row.cfa_offset, 0};
  if (row.cfa_is_expression && !evaluate(DwarfReader(row.expression, row.end), address, &value))
    return false;
  if (value.kind == DwarfValue::kNumber || (value.base != kRsp && value.base != kRbp)) return false;
  if (!fits(value.offset, UnwindRule::kMaxOffset) || !fits(value.extra, UnwindRule::kMaxExtra))
    return false;
  if (value.kind == DwarfValue::kRegister) {
    rule->cfa = value.base == kRsp ? Cfa::kStackPointer : Cfa::kFramePointer;
  } else {
    rule->cfa = value.base == kRsp ? Cfa::kAtStack : Cfa::kAtFrame;
  }
  rule->offset = value.offset;
  rule->extra = value.extra;
  return true;
}

bool compile_bp(const Place& place, uintptr_t address, UnwindRule* rule) {
  int64_t offset = place.offset;
  switch (place.kind) {
    case Place::kSame:
    case Place::kUndefined:
      rule->bp = SavedBp::kSame;
      return true;
    case Place::kAtCfa:
      rule->bp = SavedBp::kAtCfa;
      break;
    case Place::kAtExpression: {
      DwarfValue value;
      if (!evaluate(DwarfReader(place.expression, place.end), address, &value)) return false;
      if (value.kind != DwarfValue::kRegister || value.base != kRbp) return false;
      rule->bp = SavedBp::kAtBp;
      offset = value.offset;
      break;
    }
    case Place::kElsewhere:
      return false;
  }
  if (offset % 8 != 0 || !fits(offset / 8, UnwindRule::kMaxBpWords)) return false;
  rule->bp_words = offset / 8;
  return true;
}

// Where the kernel's frame has the stack pointer: what __restore_rt's tables begin with.
constexpr int32_t kRspInUcontext = 160;

UnwindRule compile(const Row& row, bool signal_frame, uintptr_t address) {
  UnwindRule rule;
  if (row.ip.kind == Place::kUndefined) {
    rule.cfa = Cfa::kOutermost;
    return rule;
  }
  if (!compile_cfa(row, address, &rule)) return UnwindRule();
  if (signal_frame && rule.cfa == Cfa::kAtStack && rule.offset == kRspInUcontext) {
    rule = UnwindRule();
    rule.cfa = Cfa::kSignalFrame;
    return rule;
  }
  if (row.ip.kind != Place::kAtCfa || row.ip.offset != -8) return UnwindRule();
  if (!compile_bp(row.bp, address, &rule)) return UnwindRule();
  return rule;
}

}  // namespace

UnwindRule rule_from_tables(const UnwindTables& tables, uintptr_t at) {
  const uint8_t* entry = find_fde(tables, at);
  Fde fde;
  Row row;
  if (!entry || !read_fde(entry, tables, at, &fde) || !CfaMachine(fde, at).run(&row))
    return UnwindRule();
  return compile(row, fde.cie.signal_frame, at);
}

}  // namespace heaprake::platform
