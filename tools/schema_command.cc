#include "tools/schema_command.h"

#include "conformance/schema.h"
#include "reports/results_json.h"
#include "tools/output.h"

namespace tools {

ExitStatus schema_command(const std::string& of) {
  print(of == "results" ? reports::results_schema() : conformance::scenario_schema());
  return ExitStatus::Passed;
}

}  // namespace tools
