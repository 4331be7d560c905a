#include "document/parse.h"

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "document/scalar.h"
#include "document/text.h"

namespace document {
namespace {

/// Ends the parse: what follows cannot be read, or would cost too much.
struct Stop {
  Mark at;
  std::string message;
};

/// What a value costs, for aliases that repeat it.
struct Weight {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  std::size_t height = 0;  ///< Lists and objects inside each other, itself included.
};

/// The text as the parser reads it. The parser looks ahead without limit while a bracket may
/// still turn out to be a key, and keeps a token for each sign it saw; this bounds that.
class Source : public std::streambuf {
 public:
  Source(std::string_view text, std::size_t max_values) : text_(text), max_values_(max_values) {}

  /// The parser handed something out: it does not look ahead any more.
  void event() { ahead_ = 0; }

 protected:
  std::streamsize xsgetn(char* to, std::streamsize wanted) override {
    // Judged before the next piece, not after it: the parser's own reader loses its buffer if its
    // first piece throws.
    if (ahead_ / 2 > max_values_) {  // A value of an object has two signs.
      throw Stop{{}, fmt::format("must not have more than {} values in one list", max_values_)};
    }
    const std::string_view piece = text_.substr(read_, static_cast<std::size_t>(wanted));
    std::copy(piece.begin(), piece.end(), to);
    read_ += piece.size();
    ahead_ += static_cast<std::size_t>(std::count_if(piece.begin(), piece.end(), [](char c) {
      return c == '[' || c == '{' || c == ',' || c == ':';
    }));
    return static_cast<std::streamsize>(piece.size());
  }

 private:
  std::string_view text_;
  std::size_t read_ = 0;
  std::size_t max_values_;
  std::size_t ahead_ = 0;  ///< Signs read since the last event.
};

/// Builds the tree from the parser's events, so that limits hold while it parses.
class Builder : public YAML::EventHandler {
 public:
  Builder(Source& source, const Columns& columns, const std::string& file, const Limits& limits)
      : source_(source), columns_(columns), file_(file), limits_(limits) {}

  std::vector<Document> take_documents() { return std::move(documents_); }
  world::Errors take_errors() { return std::move(errors_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    anchors_.clear();
    document_ = Value::null(at(mark));
    // At a sign that cannot stand there (a comma outside of brackets) the parser hands out empty
    // documents for ever.
    if (!documents_.empty() && last_start_ == document_.at()) {
      throw Stop{document_.at(), "is no valid YAML here"};
    }
    last_start_ = document_.at();
  }

  void OnDocumentEnd() override { documents_.push_back({file_, std::move(document_)}); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    source_.event();
    if (key_is_next()) {
      report(at(mark), "a key must be text; quote it");
      take_key("null", at(mark));
      return;
    }
    // Of a value that is not written the parser gives the place of what comes next.
    Mark where = at(mark);
    if (!open_.empty() && open_.back().key && open_.back().key->second.line != where.line) {
      where = open_.back().key->second;
    }
    add_leaf(Value::null(where), 0, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    source_.event();
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{at(mark), "must not be an alias of what it is part of"};
    const auto& [value, weight] = found->second;
    if (key_is_next()) {
      if (value.is_string()) return take_key(value.string(), at(mark));
      report(at(mark), "a key must be text, is an alias of " + value.describe());
      return take_key("", at(mark));
    }
    charge(weight, at(mark));
    if (open_.size() + weight.height > limits_.depth) throw too_deep(at(mark));
    attach(value, weight);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    source_.event();
    if (key_is_next()) {
      if (tag == "?" && text == "<<") {
        throw Stop{at(mark), "merge keys (<<) are not supported; repeat the members"};
      }
      if (anchor != YAML::NullAnchor) remember(anchor, Value(text, at(mark)), {1, text.size(), 0});
      return take_key(text, at(mark));
    }
    auto typed = tagged_scalar(tag, text, at(mark));
    if (std::string* wrong = std::get_if<std::string>(&typed)) {
      report(at(mark), *wrong);
      typed = Value::null(at(mark));
    }
    add_leaf(*std::get_if<Value>(&typed), text.size(), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    source_.event();
    check_tag(tag, "seq", at(mark));
    open(Value(Value::List{}, at(mark)), anchor);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    source_.event();
    check_tag(tag, "map", at(mark));
    open(Value(Value::Object{}, at(mark)), anchor);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapEnd() override {
    check_unique_keys(open_.back().value.object());
    close();
  }

  /// The parse ended, well or not.
  void finish(const std::optional<Stop>& stopped) {
    if (stopped) {
      report(stopped->at, stopped->message);
    } else if (wrong_key_) {
      report(wrong_key_->at, wrong_key_->message);
    }
  }

  Mark at(const YAML::Mark& mark) const { return columns_.mark(mark.line, mark.column); }

 private:
  /// A list or object whose end has not come yet.
  struct Open {
    Value value;
    YAML::anchor_t anchor = YAML::NullAnchor;
    Weight weight{};
    std::optional<std::pair<std::string, Mark>> key{};  ///< Of an object: its value comes next.
    bool is_key = false;                                ///< It stands where a key must.
  };

  void report(Mark where, std::string message) {
    errors_.push_back({"", std::move(message), {file_, where.line, where.column}});
  }

  Stop too_deep(Mark where) const {
    return {where, fmt::format("must not be nested deeper than {} levels", limits_.depth)};
  }

  void charge(const Weight& weight, Mark where) {
    spent_.nodes += weight.nodes;
    spent_.bytes += weight.bytes;
    if (spent_.nodes > limits_.nodes) {
      throw Stop{where,
                 fmt::format("must not have more than {} values, aliases expanded", limits_.nodes)};
    }
    if (spent_.bytes > limits_.string_bytes) {
      throw Stop{where, fmt::format("must not have more than {} bytes of strings, aliases expanded",
                                    limits_.string_bytes)};
    }
  }

  void check_tag(const std::string& tag, std::string_view type, Mark where) {
    if (tag == "?" || tag == "!" || tag.empty() ||
        tag == fmt::format("tag:yaml.org,2002:{}", type)) {
      return;
    }
    report(where, "has a tag that is not supported: " + tag);
  }

  bool key_is_next() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().key;
  }

  void take_key(std::string key, Mark where) {
    const Weight weight{0, key.size(), 0};
    charge(weight, where);
    open_.back().weight.bytes += weight.bytes;
    open_.back().key.emplace(std::move(key), where);
  }

  void add_leaf(Value value, std::size_t bytes, YAML::anchor_t anchor) {
    const Weight weight{1, bytes, 0};
    charge(weight, value.at());
    if (anchor != YAML::NullAnchor) remember(anchor, value, weight);
    attach(std::move(value), weight);
  }

  void open(Value value, YAML::anchor_t anchor) {
    const bool is_key = key_is_next();
    // A bracket that is never closed looks like a key until the parser finds the end: its own
    // error is the better one, so this one waits.
    if (is_key && !wrong_key_) {
      wrong_key_ = Stop{value.at(), "a key must be text, is " + value.describe()};
    }
    if (open_.size() >= limits_.depth) throw too_deep(value.at());
    const Weight weight{1, 0, 1};
    charge(weight, value.at());
    open_.push_back({.value = std::move(value), .anchor = anchor, .weight = weight});
    open_.back().is_key = is_key;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor) remember(done.anchor, done.value, done.weight);
    if (done.is_key) return take_key("", done.value.at());
    attach(std::move(done.value), done.weight);
  }

  /// Keeps a copy for aliases. Copies count, or anchors inside anchors would cost without limit.
  void remember(YAML::anchor_t anchor, Value value, const Weight& weight) {
    charge(weight, value.at());
    anchors_.insert_or_assign(anchor, std::pair(std::move(value), weight));
  }

  void attach(Value value, const Weight& weight) {
    if (open_.empty()) {
      document_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    parent.weight.nodes += weight.nodes;
    parent.weight.bytes += weight.bytes;
    parent.weight.height = std::max(parent.weight.height, weight.height + 1);
    if (parent.value.is_list()) {
      parent.value.list().push_back(std::move(value));
    } else {
      auto [key, key_at] = *std::move(parent.key);
      parent.key.reset();
      parent.value.object().push_back({std::move(key), key_at, std::move(value)});
    }
  }

  void check_unique_keys(const Value::Object& members) {
    std::vector<const Member*> sorted;
    sorted.reserve(members.size());
    for (const Member& member : members) sorted.push_back(&member);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Member* a, const Member* b) { return a->key < b->key; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const Member& before = *sorted[i - 1];
      if (before.key != sorted[i]->key) continue;
      report(sorted[i]->key_at, fmt::format("key \"{}\" was already given at line {}, column {}",
                                            before.key, before.key_at.line, before.key_at.column));
    }
  }

  Source& source_;
  const Columns& columns_;
  const std::string& file_;
  const Limits& limits_;
  std::vector<Document> documents_;
  world::Errors errors_;
  std::optional<Stop> wrong_key_;
  Value document_;
  Mark last_start_;  ///< Of the document before.
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<Value, Weight>> anchors_;
  Weight spent_;
};

/// Our errors are clauses in lower case; the parser's are not always.
std::string lower_first(std::string text) {
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() | 0x20);
  }
  return text;
}

}  // namespace

world::Result<std::vector<Document>, world::Errors> parse_all(std::string_view text,
                                                              std::string file_name,
                                                              const Limits& limits) {
  if (text.size() > limits.text_bytes) {
    return world::Errors{
        {"",
         fmt::format("must not be larger than {} bytes, is {}", limits.text_bytes, text.size()),
         {file_name, 0, 0}}};
  }
  if (world::Errors bad = check_characters(text, file_name); !bad.empty()) return bad;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);

  const std::string joined = join_surrogates(text);
  const Columns columns(joined);
  Source source(joined, limits.nodes);
  Builder builder(source, columns, file_name, limits);
  std::optional<Stop> stopped;
  try {
    std::istream stream(&source);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    stopped = stop;
  } catch (const YAML::Exception& wrong) {
    stopped = Stop{builder.at(wrong.mark), lower_first(wrong.msg)};
  }
  builder.finish(stopped);
  world::Errors errors = builder.take_errors();
  if (!errors.empty()) {
    std::stable_sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) {
      return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
    });
    return errors;
  }
  return builder.take_documents();
}

world::Result<Document, world::Errors> parse(std::string_view text, std::string file_name,
                                             const Limits& limits) {
  auto all = parse_all(text, file_name, limits);
  if (!all) return all.error();
  std::vector<Document> documents = std::move(all).value();
  if (documents.empty()) {
    return world::Errors{{"", "must hold a document, is empty", {file_name, 1, 1}}};
  }
  if (documents.size() > 1) {
    return world::Errors{{"", fmt::format("must hold one document, has {}", documents.size()),
                          documents[1].place(documents[1].root.at())}};
  }
  return std::move(documents.front());
}

}  // namespace document
