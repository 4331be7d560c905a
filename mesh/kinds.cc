#include "mesh/kinds.h"

namespace mesh {

const KindWords& words_of(Kind kind) {
  for (const KindWords& words : kKinds) {
    if (words.kind == kind) return words;
  }
  return kKinds.back();
}

std::optional<Kind> parent_of(Kind kind) {
  if (kind == Kind::GatewayRoute) return Kind::VirtualGateway;
  if (kind == Kind::Route) return Kind::VirtualRouter;
  return std::nullopt;
}

}  // namespace mesh
