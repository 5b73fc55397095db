#include "millrace/proto/plan/features.h"

#include <set>

#include "millrace/proto/value/strings.h"

namespace millrace::plan {

std::string AllFeatures(const Plan& plan) {
  std::set<std::string> words;
  for (const Code& code : plan.code) {
    std::string word;
    for (char c : code.features + " ") {
      if (c != ' ') {
        word += c;
      } else if (!word.empty()) {
        words.insert(std::move(word));
        word.clear();
      }
    }
  }
  return Join(words, " ");
}

}  // namespace millrace::plan
