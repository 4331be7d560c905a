#include "ingest/template.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ingest/names.h"
#include "mesh/kinds.h"
#include "mesh/names.h"

namespace ingest {

using document::join_pointer;
using document::Member;
using document::Value;

namespace {

constexpr std::string_view kPrefix = "AWS::AppMesh::";
constexpr std::size_t kMostLookups = 10'000;
constexpr std::size_t kMostBytes = 64 * 1024;  // of what a name stands for; far more than any has

std::optional<mesh::Kind> kind_of(const Value& resource) {
  const Value* type = resource.find("Type");
  if (type == nullptr || !type->is_string() || !type->string().starts_with(kPrefix)) return {};
  const std::string word = api_name(type->string().substr(kPrefix.size()));
  for (const mesh::KindWords& words : mesh::kKinds) {
    if (words.word == word) return words.kind;
  }
  return {};
}

/// Evaluates the functions of one template.
class Template {
 public:
  Template(const document::Document& document, document::Problems& problems)
      : document_(document), problems_(problems) {}

  std::vector<TemplateResource> read() {
    std::vector<TemplateResource> out;
    for (const Member& member : document_.root.find("Resources")->object()) {
      const auto kind = kind_of(member.value);
      if (!kind) {
        refuse_unknown_type(member);
        continue;
      }
      if (const Value* condition = member.value.find("Condition")) {
        fail(*condition, pointer_of(member.key), "conditions are not supported");
        continue;
      }
      out.push_back(read_resource(member, *kind));
    }
    return out;
  }

 private:
  static std::string pointer_of(std::string_view logical_id) {
    return join_pointer("/Resources", logical_id);
  }

  void fail(const Value& at, const std::string& pointer, std::string message) {
    problems_.add(pointer, std::move(message), document_.place(at.at()));
  }

  void refuse_unknown_type(const Member& member) {
    const Value* type = member.value.find("Type");
    if (type == nullptr || !type->is_string() || !type->string().starts_with(kPrefix)) return;
    fail(*type, join_pointer(pointer_of(member.key), "Type"),
         fmt::format("is no resource of App Mesh: {}", type->string()));
  }

  TemplateResource read_resource(const Member& member, mesh::Kind kind) {
    TemplateResource out;
    out.kind = kind;
    out.pointer = join_pointer(pointer_of(member.key), "Properties");
    out.input.file = document_.file;
    const Value* properties = member.value.find("Properties");
    Value empty(Value::Object{}, member.value.at());
    out.input.root = convert(properties != nullptr ? *properties : empty, out.pointer, true);
    if (!out.input.root.is_object()) return out;
    const std::string_view name = mesh::words_of(kind).name;
    if (out.input.root.find(name) == nullptr) {
      out.input.root.object().push_back(
          {std::string(name), member.key_at, Value(member.key, member.key_at)});
    }
    return out;
  }

  /// A value with its functions put in and, if `renamed`, members as the API spells them.
  Value convert(const Value& value, const std::string& pointer, bool renamed) {
    if (value.is_list()) {
      Value::List items;
      for (std::size_t i = 0; i < value.list().size(); ++i) {
        items.push_back(
            convert(value.list()[i], join_pointer(pointer, std::to_string(i)), renamed));
      }
      return {std::move(items), value.at()};
    }
    if (!value.is_object()) return value;
    if (is_function(value)) return {call(value, pointer), value.at()};
    return convert_members(value, pointer, renamed);
  }

  Value convert_members(const Value& value, const std::string& pointer, bool renamed) {
    Value::Object members;
    const bool in_duration = value.find("Unit") != nullptr;
    for (const Member& member : value.object()) {
      std::string key = renamed ? api_name(member.key) : member.key;
      if (member.value.is_object() && is_no_value(member.value)) continue;
      Value inner = convert(member.value, join_pointer(pointer, key), renamed);
      if (inner.is_list()) {
        for (Value& item : inner.list()) item = typed(key, std::move(item), false);
      }
      inner = typed(key, std::move(inner), in_duration);
      members.push_back({std::move(key), member.key_at, std::move(inner)});
    }
    return {std::move(members), value.at()};
  }

  static bool is_function(const Value& value) {
    if (value.object().size() != 1) return false;
    const std::string& key = value.object().front().key;
    return key == "Ref" || key.starts_with("Fn::");
  }

  static bool is_no_value(const Value& value) {
    const Value* name = value.find("Ref");
    return name != nullptr && name->is_string() && name->string() == "AWS::NoValue";
  }

  std::string call(const Value& value, const std::string& pointer) {
    const Member& function = value.object().front();
    const Value& argument = function.value;
    if (function.key == "Ref" && argument.is_string()) {
      return reference(argument.string(), argument, pointer);
    }
    if (function.key == "Fn::GetAtt") return attribute_of(argument, pointer);
    if (function.key == "Fn::Join") return join(argument, pointer);
    if (function.key == "Fn::Sub") return substitute(argument, pointer);
    fail(value, pointer, fmt::format("{} is not supported here", function.key));
    return {};
  }

  /// Text of a value that functions are made of.
  std::string text_of(const Value& value, const std::string& pointer) {
    const Value plain = convert(value, pointer, false);
    if (plain.is_string()) return plain.string();
    if (plain.is_integer()) return std::to_string(plain.integer());
    if (plain.is_bool()) return plain.boolean() ? "true" : "false";
    fail(value, pointer, "must be text, is " + plain.describe());
    return {};
  }

  std::string reference(const std::string& name, const Value& at, const std::string& pointer) {
    if (name.starts_with("AWS::")) return pseudo_parameter(name, at, pointer);
    if (const Value* parameters = document_.root.find("Parameters")) {
      if (const Value* parameter = parameters->find(name)) {
        if (const Value* fallback = parameter->find("Default")) {
          return bounded(text_of(*fallback, pointer), at, pointer);
        }
        fail(at, pointer, fmt::format("needs parameter {}, which has no default", name));
        return {};
      }
    }
    const Value* resource = document_.root.find("Resources")->find(name);
    if (resource == nullptr) {
      fail(at, pointer, fmt::format("names {}, which is neither parameter nor resource", name));
      return {};
    }
    const auto kind = kind_of(*resource);
    return kind ? arn_of(name, *kind, at, pointer) : fmt::format("${{{}}}", name);
  }

  /// A text that may stand in many places.
  std::string bounded(std::string text, const Value& at, const std::string& pointer) {
    if (text.size() <= kMostBytes) return text;
    fail(at, pointer, fmt::format("must not stand for more than {} bytes", kMostBytes));
    return {};
  }

  std::string pseudo_parameter(const std::string& name, const Value& at,
                               const std::string& pointer) {
    if (name == "AWS::AccountId") return account_.id;
    if (name == "AWS::Region") return account_.region;
    if (name == "AWS::Partition") return account_.partition;
    if (name == "AWS::URLSuffix") return "amazonaws.com";
    if (name == "AWS::StackName") return "stack";
    fail(at, pointer, fmt::format("{} is not supported here", name));
    return {};
  }

  std::string arn_of(const std::string& name, mesh::Kind kind, const Value& at,
                     const std::string& pointer) {
    const auto property = [&](mesh::Kind of) {
      return attribute(name, pascal(mesh::words_of(of).name), at, pointer);
    };
    const std::string mesh_name = property(mesh::Kind::Mesh);
    if (kind == mesh::Kind::Mesh) return mesh::mesh_arn(account_, mesh_name);
    const auto parent = mesh::parent_of(kind);
    return mesh::resource_arn(account_, mesh_name, kind, property(kind),
                              parent ? property(*parent) : std::string());
  }

  static std::string pascal(std::string_view name) {
    std::string out(name);
    out.front() = static_cast<char>(out.front() & ~0x20);
    return out;
  }

  /// `[NAME, ATTRIBUTE]` or "NAME.ATTRIBUTE".
  std::string attribute_of(const Value& argument, const std::string& pointer) {
    if (argument.is_list() && argument.list().size() == 2 && argument.list()[0].is_string()) {
      return attribute(argument.list()[0].string(), text_of(argument.list()[1], pointer), argument,
                       pointer);
    }
    if (argument.is_string()) {
      const std::string& text = argument.string();
      if (const std::size_t dot = text.find('.'); dot != std::string::npos) {
        return attribute(text.substr(0, dot), text.substr(dot + 1), argument, pointer);
      }
    }
    fail(argument, pointer, "must be [RESOURCE, ATTRIBUTE], is " + argument.describe());
    return {};
  }

  std::string attribute(const std::string& name, const std::string& wanted, const Value& at,
                        const std::string& pointer) {
    const Value* resource = document_.root.find("Resources")->find(name);
    if (resource == nullptr) {
      fail(at, pointer, fmt::format("names {}, which is no resource", name));
      return {};
    }
    const auto kind = kind_of(*resource);
    if (!kind) return fmt::format("${{{}.{}}}", name, wanted);
    if (wanted == "Arn") return arn_of(name, *kind, at, pointer);
    if (wanted == "Uid") return fmt::format("${{{}.Uid}}", name);
    const std::string whole = name + "." + wanted;
    if (std::find(asked_.begin(), asked_.end(), whole) != asked_.end()) {
      fail(at, pointer, fmt::format("{} must not need itself", whole));
      return {};
    }
    // Names made of names made of names: their number doubles at each level.
    if (++lookups_ > kMostLookups) {
      if (lookups_ == kMostLookups + 1) {
        fail(at, pointer, fmt::format("must not need more than {} names", kMostLookups));
      }
      return {};
    }
    const Value* properties = resource->find("Properties");
    const Value* property = properties != nullptr ? properties->find(wanted) : nullptr;
    if (property == nullptr) {
      if (wanted == pascal(mesh::words_of(*kind).name)) return name;
      fail(at, pointer, fmt::format("{} has no attribute {}", name, wanted));
      return {};
    }
    asked_.push_back(whole);
    std::string text = text_of(*property, pointer);
    asked_.pop_back();
    return bounded(std::move(text), at, pointer);
  }

  std::string join(const Value& argument, const std::string& pointer) {
    if (!argument.is_list() || argument.list().size() != 2 || !argument.list()[0].is_string() ||
        !argument.list()[1].is_list()) {
      fail(argument, pointer, "must be [SEPARATOR, [PARTS]], is " + argument.describe());
      return {};
    }
    std::string out;
    bool first = true;
    for (const Value& part : argument.list()[1].list()) {
      if (!first) out += argument.list()[0].string();
      first = false;
      out += text_of(part, pointer);
    }
    return out;
  }

  /// "text ${Name} ${Resource.Attribute} ${!Literal}", or `[text, {Name: value}]`.
  std::string substitute(const Value& argument, const std::string& pointer) {
    const bool with_names = argument.is_list() && argument.list().size() == 2;
    const Value& written = with_names ? argument.list()[0] : argument;
    if (!written.is_string()) {
      fail(argument, pointer, "must be text or [TEXT, {NAME: VALUE}], is " + argument.describe());
      return {};
    }
    const Value* own = with_names ? &argument.list()[1] : nullptr;
    const std::string& text = written.string();
    std::string out;
    for (std::size_t from = 0;;) {
      const std::size_t begin = text.find("${", from);
      const std::size_t end = begin == std::string::npos ? begin : text.find('}', begin);
      out += text.substr(from, end == std::string::npos ? end : begin - from);
      if (end == std::string::npos) return out;
      out += variable(text.substr(begin + 2, end - begin - 2), own, written, pointer);
      from = end + 1;
    }
  }

  std::string variable(const std::string& name, const Value* own, const Value& at,
                       const std::string& pointer) {
    if (name.starts_with("!")) return fmt::format("${{{}}}", name.substr(1));
    if (const Value* value = own != nullptr ? own->find(name) : nullptr) {
      return text_of(*value, pointer);
    }
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) return reference(name, at, pointer);
    return attribute(name.substr(0, dot), name.substr(dot + 1), at, pointer);
  }

  const document::Document& document_;
  document::Problems& problems_;
  const mesh::Account account_;
  std::vector<std::string> asked_;  ///< Attributes being found, to see those that need themselves.
  std::size_t lookups_ = 0;
};

}  // namespace

bool is_template(const Value& root) {
  const Value* resources = root.find("Resources");
  return resources != nullptr && resources->is_object() &&
         std::all_of(resources->object().begin(), resources->object().end(),
                     [](const Member& member) { return member.value.find("Type") != nullptr; });
}

std::vector<TemplateResource> read_template(const document::Document& document,
                                            document::Problems& problems) {
  const std::size_t before = problems.size();
  std::vector<TemplateResource> resources = Template(document, problems).read();
  // What a broken function stands for is not judged on top.
  if (problems.size() > before) resources.clear();
  return resources;
}

}  // namespace ingest
