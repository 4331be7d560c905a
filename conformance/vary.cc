#include "conformance/vary.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "conformance/read_parts.h"

namespace conformance {

using document::Document;
using document::Problems;
using document::Reader;
using document::Value;

namespace {

bool is_identifier_character(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (!first && c >= '0' && c <= '9');
}

bool is_identifier(std::string_view text) {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_identifier_character(text[i], i == 0)) return false;
  }
  return true;
}

bool is_scalar(const Value& value) {
  return value.is_string() || value.is_number() || value.is_bool();
}

/// How a value is shown in an id: on one line, without what would end the id.
std::string label_of(const Value& value, std::size_t position) {
  constexpr std::size_t kMost = 40;
  if (!is_scalar(value)) return fmt::format("#{}", position + 1);
  const std::string text = written_text(value);
  std::string out;
  for (const char c : text) {
    if (out.size() >= kMost) return out + fmt::format("~#{}", position + 1);
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Vary Vary::read(const Document& document, Problems& problems) {
  Vary vary;
  Reader root(document, problems);
  if (!root.value().is_object()) return vary;
  const auto at = root.optional("vary");
  if (!at || !at->expect_object()) return vary;
  Reader names = *at;
  if (names.value().object().empty()) names.fail("must have at least one name");
  for (const auto& [member, list] : names.members()) {
    if (!is_identifier(member->key)) {
      names.fail_key(member->key, "must be letters, digits and _, not beginning with a digit");
      continue;
    }
    Variable variable{member->key, member->key_at, {}, {}};
    std::set<std::string> labels;
    for (const Reader& item : list.as_items({1})) {
      std::string label = label_of(item.value(), variable.values.size());
      if (!labels.insert(label).second) label += fmt::format("#{}", variable.values.size() + 1);
      variable.values.push_back(item.value());
      variable.labels.push_back(std::move(label));
    }
    if (variable.values.empty()) continue;
    if (variable.values.size() > kMostVariants / vary.count_) {
      names.fail(fmt::format("has more than {} combinations", kMostVariants));
      return vary;
    }
    vary.count_ *= variable.values.size();
    vary.variables_.push_back(std::move(variable));
  }
  return vary;
}

std::vector<std::size_t> Vary::picks(std::size_t variant) const {
  std::vector<std::size_t> out(variables_.size());
  for (std::size_t i = variables_.size(); i-- > 0;) {
    out[i] = variant % variables_[i].values.size();
    variant /= variables_[i].values.size();
  }
  return out;
}

std::string Vary::suffix(std::size_t variant) const {
  if (variables_.empty()) return {};
  const auto picked = picks(variant);
  std::string out;
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    out += (i == 0 ? "[" : ",") + variables_[i].name + "=" + variables_[i].labels[picked[i]];
  }
  return out + "]";
}

std::map<std::string, std::string> Vary::values(std::size_t variant) const {
  std::map<std::string, std::string> out;
  const auto picked = picks(variant);
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    out[variables_[i].name] = written_text(variables_[i].values[picked[i]]);
  }
  return out;
}

/// Walks over a document and puts values in.
class Vary::Substitution {
 public:
  Substitution(const std::vector<Variable>& variables, std::vector<std::size_t> picked,
               const Document& document, Problems& problems)
      : variables_(variables),
        picked_(std::move(picked)),
        used_(variables.size()),
        document_(document),
        problems_(problems) {}

  void replace(Value& value, const std::string& pointer) {
    if (value.is_list()) {
      for (std::size_t i = 0; i < value.list().size(); ++i) {
        replace(value.list()[i], document::join_pointer(pointer, std::to_string(i)));
      }
    } else if (value.is_object()) {
      for (document::Member& member : value.object()) {
        if (member.key.find('$') != std::string::npos) {
          member.key = expanded(member.key, pointer, member.key_at);
        }
        replace(member.value, document::join_pointer(pointer, member.key));
      }
    } else if (value.is_string() && value.string().find('$') != std::string::npos) {
      replace_string(value, pointer);
    }
  }

  void report_unused(const std::string& pointer) {
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      if (used_[i]) continue;
      problems_.add(document::join_pointer(pointer, variables_[i].name),
                    fmt::format("is used nowhere: write ${} where its value should stand",
                                variables_[i].name),
                    document_.place(variables_[i].at));
    }
  }

 private:
  void replace_string(Value& value, const std::string& pointer) {
    const std::string text = value.string();
    const auto [index, end] = name_at(text, 0);
    if (text[0] == '$' && index < variables_.size() && end == text.size()) {
      used_[index] = true;
      const Value& given = variables_[index].values[picked_[index]];
      value = moved(given, value.at());
      return;
    }
    value = Value(expanded(text, pointer, value.at()), value.at());
  }

  /// The value, at another place; what is within a list or object keeps its own.
  static Value moved(const Value& from, document::Mark at) {
    switch (from.kind()) {
      case Value::Kind::Null:
        return Value::null(at);
      case Value::Kind::Bool:
        return {from.boolean(), at};
      case Value::Kind::Integer:
        return {from.integer(), at};
      case Value::Kind::Number:
        return {from.number(), at};
      case Value::Kind::String:
        return {from.string(), at};
      case Value::Kind::List:
        return {from.list(), at};
      case Value::Kind::Object:
        return {from.object(), at};
    }
    return from;
  }

  /// Which variable is named at that "$" of the text, and where its name ends.
  std::pair<std::size_t, std::size_t> name_at(std::string_view text, std::size_t dollar) const {
    std::size_t begin = dollar + 1;
    const bool braces = begin < text.size() && text[begin] == '{';
    if (braces) ++begin;
    std::size_t end = begin;
    while (end < text.size() && is_identifier_character(text[end], end == begin)) ++end;
    const std::string_view name = text.substr(begin, end - begin);
    if (braces) {
      if (end >= text.size() || text[end] != '}') return {variables_.size(), begin};
      ++end;
    }
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].name == name) return {i, end};
    }
    return {variables_.size(), end};
  }

  std::string expanded(std::string_view text, const std::string& pointer, document::Mark at) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] != '$') {
        out += text[i++];
        continue;
      }
      const auto [index, end] = name_at(text, i);
      if (index == variables_.size()) {
        if (!variables_.empty() && i + 1 < text.size() && text[i + 1] == '{') {
          problems_.add(pointer, fmt::format("{} is no name of vary", text.substr(i, end - i)),
                        document_.place(at));
        }
        out += text[i++];
        continue;
      }
      used_[index] = true;
      const Value& given = variables_[index].values[picked_[index]];
      if (!is_scalar(given)) {
        problems_.add(pointer,
                      fmt::format("${} must be a string, number or boolean within a text, is {}",
                                  variables_[index].name, given.describe()),
                      document_.place(at));
      }
      out += written_text(given);
      i = end;
    }
    return out;
  }

  const std::vector<Variable>& variables_;
  std::vector<std::size_t> picked_;
  std::vector<bool> used_;
  const Document& document_;
  Problems& problems_;
};

Document Vary::apply(const Document& document, std::size_t variant, Problems& problems) const {
  if (variables_.empty()) return document;
  // Without the values themselves: there may be as many as there are variants.
  Value::Object members;
  for (const document::Member& member : document.root.object()) {
    if (member.key != "vary") members.push_back(member);
  }
  Document out{document.file, Value(std::move(members), document.root.at())};
  Substitution substitution(variables_, picks(variant), document, problems);
  substitution.replace(out.root, {});
  substitution.report_unused("/vary");
  return out;
}

}  // namespace conformance
