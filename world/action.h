#pragma once

namespace world {

/// What to call when something is due: an object and one of its member functions.
///
/// Two words, no allocation, no ownership. The object must outlive the action, which holds for
/// timers because they are members of the object they call.
struct Action {
  void* self = nullptr;
  void (*call)(void* self) = nullptr;

  void operator()() const { call(self); }
  explicit operator bool() const { return call != nullptr; }
};

/// `bind<&Connection::on_idle>(this)`.
template <auto Method, class T>
Action bind(T* self) {
  return {self, [](void* object) { (static_cast<T*>(object)->*Method)(); }};
}

}  // namespace world
