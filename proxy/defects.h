#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "proxy/plan.h"

namespace proxy {

/// What an engineer may get wrong when a mesh is made into a gateway's configuration: it changes
/// the plan, whoever runs that then. A suite that cannot tell is no proof.
struct Defect {
  std::string_view name;    ///< "rewrite/no-prefix"
  std::string_view clause;  ///< The promise that it breaks.
  std::string_view says;    ///< What is wrong then.
  void (*apply)(GatewayPlan& plan);
};

/// All of them, by area.
std::span<const Defect> defects();
/// Null: there is none of that name.
const Defect* find_defect(std::string_view name);

/// The plan with the defect.
std::shared_ptr<const GatewayPlan> with_defect(const GatewayPlan& plan, const Defect& defect);

}  // namespace proxy
