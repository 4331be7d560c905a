#include "targets/admin.h"

#include <utility>

#include <fmt/format.h>

#include "conformance/judge.h"

namespace targets {

class Admin::Question final : public world::TransportEvents {
 public:
  Question(Admin& admin, const std::string& request, Done done)
      : admin_(admin), done_(std::move(done)) {
    transport_ = admin.machine_.connect(admin.at_, *this);
    bytes_ = fmt::format("{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", request,
                         admin.at_.text());
  }

 private:
  void on_connected() override { transport_->write(bytes_); }
  void on_data(std::string_view bytes) override { answer_ += bytes; }
  void on_end() override { end(); }
  void on_error(std::error_code) override { end(); }
  void on_drained() override {}

  void end() {
    const auto answers = conformance::answers_in(answer_, false, true);
    const Done done = std::move(done_);
    const std::unique_ptr<Question> self = std::move(admin_.question_);  // until this returns
    done(answers.empty() ? 0 : answers.front().status, answers.empty() ? "" : answers.front().body);
  }

  Admin& admin_;
  Done done_;
  std::string bytes_;
  std::string answer_;
  std::unique_ptr<world::Transport> transport_;
};

Admin::Admin(world::World& machine, world::Endpoint at) : machine_(machine), at_(at) {}
Admin::~Admin() = default;

void Admin::ask(const std::string& request, Done done) {
  question_ = std::make_unique<Question>(*this, request, std::move(done));
}

}  // namespace targets
