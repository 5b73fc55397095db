// What graphc is at, as one line on stderr that is gone when it is done. Only
// where stderr is a terminal, and only behind the first second.
#pragma once

#include <string>

namespace millrace::graphc {

// From here until the next call: "compile: simplify/cse".
void Stage(std::string what);
// Takes the line away; called before a command prints what it found.
void EndProgress();

}  // namespace millrace::graphc
