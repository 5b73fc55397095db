// Where libmillrace_codegen is found.
#pragma once

#include "millrace/compiler/codegen/Codegen.h"

namespace millrace::codegen {

// The library, opened at the first call: beside the library or program that this
// code is in, in ../lib from there, or where the system looks. Null where it is not
// there, or of another build; it stays open. Thread-safe.
const Library *openLibrary();

// False where openLibrary would find none, without opening one that lies beside.
bool mayOpenLibrary();

} // namespace millrace::codegen
