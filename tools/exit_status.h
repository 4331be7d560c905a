#pragma once

#include <cstdint>

namespace tools {

/// How the program ended; the numbers are pytest's own.
enum class ExitStatus : std::uint8_t {
  Passed = 0,
  Failed = 1,  ///< An expectation was broken, or an agreement is not there.
  Interrupted = 2,
  InternalError = 3,
  BadInput = 4,  ///< Bad usage, or a bad file.
  NothingRan = 5,
};

}  // namespace tools
