#include "proxy/path.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace proxy {
namespace {

enum Class : std::uint8_t {
  kPlain,    // written as it is; when escaped, stays escaped
  kDecode,   // unreserved: an escaped one is decoded
  kEncode,   // a raw one is percent-encoded
  kPercent,  // may begin an escape
  kSlash,    // '/' or '\\'
  kRefuse,   // '#'
};

/// What becomes of each character of a path.
constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    Class kind = kPlain;
    if (letter || digit || c == '-' || c == '_' || c == '~' || c == '.') kind = kDecode;
    if (c <= ' ' || c >= 0x7f) kind = kEncode;
    for (const char e : {'"', '<', '>', '^', '`', '{', '|', '}'}) {
      if (c == e) kind = kEncode;
    }
    if (c == '%') kind = kPercent;
    if (c == '/' || c == '\\') kind = kSlash;
    if (c == '#') kind = kRefuse;
    classes[static_cast<std::size_t>(c)] = kind;
  }
  return classes;
}

constexpr std::array<Class, 256> kClasses = make_classes();

Class class_of(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The character that an escape at `at` stands for, or -1 where there is none.
int escaped_at(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Whether nothing of the path needs work, which is so for nearly every request.
bool is_normal(std::string_view path) {
  char previous = 0;
  for (const char c : path) {
    const Class kind = class_of(c);
    if (kind >= kEncode && c != '/') return false;
    if (previous == '/' && (c == '/' || c == '.')) return false;
    previous = c;
  }
  return true;
}

/// How many dots a segment that begins at `at` has before its parameters: "..;a" has two. Zero if
/// it is not of that kind.
std::size_t dots_with_parameters(std::string_view path, std::size_t at) {
  for (std::size_t dots = 1; dots <= 2 && at + dots < path.size(); ++dots) {
    if (path[at + dots - 1] != '.') return 0;
    if (path[at + dots] == ';') return dots;
  }
  return 0;
}

constexpr std::string_view kHex = "0123456789ABCDEF";

/// Drops the last segment of `out`, which ends in a slash. Never goes above the root.
void drop_segment(std::string& out) {
  out.pop_back();
  out.resize(out.rfind('/') + 1);
}

}  // namespace

bool normalize_path(std::string& target) {
  const std::string_view path = path_of(target);
  if (target.find('#') != std::string::npos) return false;
  if (is_normal(path)) return true;

  std::string out;
  out.reserve(target.size() + 16);
  std::size_t segment = 0;  // where the current segment of `out` begins
  // Resolves the segment that ends here if it is "." or "..".
  const auto end_segment = [&](bool slash) {
    const std::string_view last = std::string_view(out).substr(segment);
    if (last == ".") {
      out.resize(segment);
    } else if (last == "..") {
      out.resize(segment);
      if (segment > 1) drop_segment(out);
    } else if (slash) {
      out += '/';
    }
    segment = out.size();
  };
  for (std::size_t i = 0; i < path.size();) {
    const char c = path[i];
    switch (class_of(c)) {
      case kSlash:
        if (i == 0) {
          out += '/';
          segment = 1;
        } else {
          end_segment(true);
        }
        ++i;
        // Parameters of a segment of dots go: "..;a" is "..". Only unescaped dots have any.
        if (const std::size_t dots = dots_with_parameters(path, i); c == '/' && dots > 0) {
          out.append(dots, '.');
          i = std::min(path.find('/', i), path.size());
        }
        continue;
      case kPercent: {
        const int decoded = escaped_at(path, i);
        if (decoded == 0) return false;
        if (decoded > 0 && kClasses[static_cast<std::size_t>(decoded)] == kDecode) {
          out += static_cast<char>(decoded);
          i += 3;
          continue;
        }
        if (decoded > 0) {
          out += path.substr(i, 3);
          i += 3;
          continue;
        }
        out += c;
        break;
      }
      case kEncode:
        out += '%';
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[static_cast<unsigned char>(c) & 15];
        break;
      default:
        out += c;
        break;
    }
    ++i;
  }
  end_segment(false);

  std::string merged;
  merged.reserve(out.size() + target.size() - path.size());
  for (const char c : out) {
    if (c != '/' || merged.empty() || merged.back() != '/') merged += c;
  }
  // A path of slashes alone keeps two, as in the real proxy.
  if (merged.size() < out.size() && merged == "/") merged += '/';
  merged += std::string_view(target).substr(path.size());
  target = std::move(merged);
  return true;
}

}  // namespace proxy
