#pragma once

#include <string>
#include <variant>

#include "document/value.h"

namespace document {

/// What a plain scalar of YAML means: a typed value, or why it is none.
///
/// Source: YAML 1.2.2 section 10.3.2 (core schema), with the exceptions that parse() names.
std::variant<Value, std::string> plain_scalar(const std::string& text, Mark at);

/// The same for a scalar with an explicit tag, such as "tag:yaml.org,2002:str".
std::variant<Value, std::string> tagged_scalar(const std::string& tag, const std::string& text,
                                               Mark at);

}  // namespace document
