#pragma once

#include <string>

#include "conformance/verdict.h"

namespace reports {

/// JUnit XML in the dialect CI servers share: one suite for each area, one case for each run with a
/// dotted classname (the id's folders) and a name that is unique in it. A broken expectation is a
/// <failure>, what could not be judged an <error>, a reason to skip stands in <skipped message>.
/// Seed, clauses, hash and replay command are properties. `time` is virtual seconds.
std::string junit_xml(const conformance::Report& report);

}  // namespace reports
