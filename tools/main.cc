#include <exception>
#include <string>

#include "tools/command_line.h"
#include "tools/output.h"

int main(int count, char** words) {
  try {
    return static_cast<int>(tools::do_command_line(count, words));
  } catch (const std::exception& exception) {
    tools::complain(std::string("internal error: ") + exception.what());
  } catch (...) {
    tools::complain("internal error");
  }
  return static_cast<int>(tools::ExitStatus::InternalError);
}
