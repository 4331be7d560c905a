#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace conformance {

/// One promise of a virtual gateway that can be tested: an entry of spec/clauses.yaml.
struct Clause {
  enum class Weight : std::uint8_t {
    Must,      ///< Stated by the documents or by the API's model.
    Default,   ///< A documented default.
    Observed,  ///< What the real proxy does where no document speaks.
  };
  std::string id;
  std::string area;  ///< "routing"
  std::string says;
  Weight weight = Weight::Must;
  std::set<std::string> shown;  ///< Of "sim", "live", "api", "k8s", "console".

  bool is_core() const { return weight != Weight::Observed; }
};

/// All of them, in the order of the file.
const std::vector<Clause>& clauses();

}  // namespace conformance
