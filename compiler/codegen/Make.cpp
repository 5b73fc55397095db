#include "millrace/compiler/codegen/Make.h"

#include "millrace/compiler/codegen/Library.h"
#include "millrace/proto/value/strings.h"

namespace millrace::codegen {

Made makeCode(const std::string &key, std::span<const SegmentTape> segments, Isa isa,
              const Cache &cache) {
  Made made;
  const std::string entry = Cat(key, "-", IsaName(isa));
  if (std::optional<std::string> blob = cache.get(entry)) {
    made.blob = std::move(*blob);
    made.cached = true;
    return made;
  }
  const Library *library = openLibrary();
  made.noLibrary = !library;
  if (!library)
    return made;
  const Result<cluster::CompiledProgram> program = library->compile(segments, isa, &made.times);
  if (!program.ok())
    return made;
  made.blob = cluster::EncodeCode(*program);
  cache.put(entry, made.blob);
  return made;
}

} // namespace millrace::codegen
