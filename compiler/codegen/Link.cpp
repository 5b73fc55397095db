#include "millrace/compiler/codegen/Link.h"

#include "millrace/proto/value/strings.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <map>

using namespace llvm;
using namespace llvm::object;

namespace millrace::codegen {
namespace {

// A section that belongs to the code: its instructions and its constants.
bool isCode(const ELFSectionRef &section) {
  return (section.getFlags() & ELF::SHF_ALLOC) && section.getType() == ELF::SHT_PROGBITS;
}

millrace::Status refused(const Twine &what) {
  return Unimplemented("codegen: the code " + what.str());
}

} // namespace

millrace::Status linkObject(StringRef bytes, cluster::CompiledProgram &program) {
  Expected<std::unique_ptr<ObjectFile>> file =
      ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, "segments"));
  if (!file) {
    consumeError(file.takeError());
    return Internal("codegen: LLVM wrote no object");
  }
  // Code first, so that it starts aligned; then constants.
  std::map<uint64_t, uint64_t> offsets; // of sections by index
  std::string &code = program.code;
  code.clear();
  for (const bool text : {true, false}) {
    for (const SectionRef &s : (*file)->sections()) {
      const ELFSectionRef section(s);
      if (!isCode(section) || section.isText() != text)
        continue;
      Expected<StringRef> name = section.getName();
      if (name && name->starts_with(".eh_frame"))
        continue;
      if (!name)
        consumeError(name.takeError());
      if (section.getFlags() & ELF::SHF_WRITE)
        return refused("has data that changes");
      Expected<StringRef> content = section.getContents();
      if (!content) {
        consumeError(content.takeError());
        return Internal("codegen: a section without contents");
      }
      code.resize(
          alignTo(code.size(), std::max<uint64_t>(section.getAlignment().value(), text ? 64 : 1)),
          text ? '\x90' : '\0');
      offsets[section.getIndex()] = code.size();
      code.append(content->begin(), content->end());
    }
  }
  for (const SectionRef &relocations : (*file)->sections()) {
    Expected<section_iterator> target = relocations.getRelocatedSection();
    if (!target) {
      consumeError(target.takeError());
      continue;
    }
    if (*target == (*file)->section_end())
      continue;
    const auto at = offsets.find((*target)->getIndex());
    if (at == offsets.end())
      continue;
    for (const ELFRelocationRef relocation : relocations.relocations()) {
      const symbol_iterator symbol = relocation.getSymbol();
      if (symbol == (*file)->symbol_end())
        return refused("has a relocation without a symbol");
      Expected<section_iterator> section = symbol->getSection();
      Expected<uint64_t> value = symbol->getValue();
      Expected<int64_t> addend = relocation.getAddend();
      if (!section || !value || !addend) {
        consumeError(section.takeError());
        consumeError(value.takeError());
        consumeError(addend.takeError());
        return refused("refers to something outside of itself");
      }
      const auto home =
          *section == (*file)->section_end() ? offsets.end() : offsets.find((*section)->getIndex());
      if (home == offsets.end()) {
        Expected<StringRef> name = symbol->getName();
        const std::string what = name ? name->str() : std::string();
        if (!name)
          consumeError(name.takeError());
        return refused("calls '" + what + "'");
      }
      // Distances of 32 bits are all that position-independent code of one piece needs.
      const uint64_t type = relocation.getType();
      if (type != ELF::R_X86_64_PC32 && type != ELF::R_X86_64_PLT32)
        return refused("has a relocation of type " + Twine(type));
      const uint64_t place = at->second + relocation.getOffset();
      if (place + 4 > code.size())
        return Internal("codegen: a relocation outside of its section");
      const int64_t distance =
          static_cast<int64_t>(home->second + *value) + *addend - static_cast<int64_t>(place);
      support::endian::write32le(code.data() + place, static_cast<uint32_t>(distance));
    }
  }
  for (cluster::CompiledSegment &segment : program.segments) {
    const std::string wanted = "segment_" + std::to_string(segment.segment);
    bool found = false;
    for (const SymbolRef &symbol : (*file)->symbols()) {
      Expected<StringRef> name = symbol.getName();
      Expected<section_iterator> section = symbol.getSection();
      Expected<uint64_t> value = symbol.getValue();
      if (name && section && value && *name == wanted && *section != (*file)->section_end()) {
        segment.offset = static_cast<uint32_t>(offsets[(*section)->getIndex()] + *value);
        found = true;
      }
      if (!name)
        consumeError(name.takeError());
      if (!section)
        consumeError(section.takeError());
      if (!value)
        consumeError(value.takeError());
    }
    if (!found)
      return Internal(Cat("codegen: no function ", wanted));
  }
  return OkStatus();
}

} // namespace millrace::codegen
