// C++ exceptions: nested, rethrown, through destructors, foreign frames, threads, futures; terminate ends by SIGABRT.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>
#include <condition_variable>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
template <typename... Parts> static void say(const char *format, Parts... parts) {
  dprintf(1, format, parts...);
  (void)!write(1, "\n", 1);
}
static void say(const char *text) { say("%s", text); }
template <typename Body> static void in_child(const char *what, Body body) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  waitpid(pid, &status, 0);
  say("%s: exit %d, signal %d", what, WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
static std::atomic<int> alive;
struct Counted {
  Counted() { alive++; }
  ~Counted() { alive--; }
};
struct Base : std::runtime_error { using std::runtime_error::runtime_error; };
struct Derived : Base { using Base::Base; double number = 2.5; };
static void deep(int n) {
  Counted here;
  std::string text(static_cast<size_t>(n + 20), 'x');
  if (n == 0) throw Derived("deep " + text.substr(0, 3));
  try {
    deep(n - 1);
  } catch (const Base &) {
    if (n % 10 == 0) std::throw_with_nested(Base("level " + std::to_string(n)));
    throw;
  }
}
static void unwind(const std::exception &e, int level) {
  say("%d: %s", level, e.what());
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception &inner) {
    unwind(inner, level + 1);
  }
}
static int compare(const void *a, const void *b) {
  if (*static_cast<const int *>(a) == 5) throw 55;
  return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}
static void on_signal(int) {}
struct Throwing { Throwing() try : part(make()) {} catch (int n) { throw n + 1; } static int make() { throw 9; } int part; };
int main() {
  try {
    deep(35);
  } catch (const std::exception &e) {
    unwind(e, 0);
  }
  say("alive %d", alive.load());
  for (int i = 0; i < 300; i++) {
    try {
      Counted one;
      if (i % 3 == 0) throw i;
      if (i % 3 == 1) throw std::make_unique<int>(i);
      throw Derived("d");
    } catch (int) {
    } catch (const std::unique_ptr<int> &) {
    } catch (...) {
      try { throw; } catch (Derived &d) { if (d.number != 2.5) say("lost"); }
    }
  }
  say("alive %d", alive.load());
  try { int values[] = {3, 5, 1, 4}; qsort(values, 4, sizeof(int), compare); } catch (int n) { say("out of qsort: %d", n); }
  try { Throwing t; } catch (int n) { say("function try block: %d", n); }
  try { (void)std::vector<int>().at(3); } catch (const std::out_of_range &) { say("out_of_range"); }
  try { (void)std::stoi("word"); } catch (const std::invalid_argument &e) { say("invalid_argument %s", e.what()); }
  try { char *volatile huge = new char[size_t(1) << 50]; delete[] huge; } catch (const std::bad_alloc &) { say("bad_alloc"); }
  try { Base b("b"); (void)dynamic_cast<Derived &>(static_cast<std::exception &>(b)); } catch (const std::bad_cast &) { say("bad_cast"); }
  try { std::function<void()>()(); } catch (const std::bad_function_call &) { say("bad_function_call"); }

  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> errors(16);
  for (int i = 0; i < 16; i++)
    threads.emplace_back([i, &errors] {
      try { if (i % 2) deep(12 + i); else throw i; } catch (...) { errors[static_cast<size_t>(i)] = std::current_exception(); }
    });
  for (auto &t : threads) t.join();
  int sum = 0, nested = 0;
  for (auto &error : errors) {
    try { std::rethrow_exception(error); } catch (int n) { sum += n; } catch (const std::exception &) { nested++; }
  }
  errors.clear();
  say("threads: %d %d, alive %d", sum, nested, alive.load());

  std::vector<std::future<int>> futures;
  for (int i = 0; i < 12; i++)
    futures.push_back(std::async(i % 3 ? std::launch::async : std::launch::deferred, [i] { if (i == 7) throw Base("seven"); return i * i; }));
  sum = 0;
  for (auto &f : futures) try { sum += f.get(); } catch (const Base &e) { say("future: %s", e.what()); }
  say("futures %d", sum);
  std::promise<std::string> promise;
  std::thread setter([&] { promise.set_value("kept"); });
  say("promise %s", promise.get_future().get().c_str());
  setter.join();
  try { std::promise<int> p; auto f = p.get_future(); { std::promise<int> gone = std::move(p); } f.get(); } catch (const std::future_error &) { say("broken promise"); }
  std::packaged_task<int(int)> task([](int x) { return x + 1; });
  auto answer = task.get_future();
  std::thread(std::move(task), 41).join();
  say("task %d", answer.get());
  std::mutex mutex;
  std::condition_variable cond;
  bool flag = false;
  std::thread waiter([&] { std::unique_lock lock(mutex); cond.wait(lock, [&] { return flag; }); });
  { std::lock_guard lock(mutex); flag = true; }
  cond.notify_all();
  waiter.join();
  signal(SIGUSR1, on_signal);
  try { raise(SIGUSR1); throw 1; } catch (int) { say("after a signal"); }
  close(2);
  in_child("uncaught", [] { throw Base("nobody"); });
  in_child("noexcept", []() noexcept { deep(3); });
  in_child("terminate handler", [] { std::set_terminate([] { _exit(44); }); throw 2; });
  return 0;
}
