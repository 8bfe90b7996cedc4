// C++ on the guest: exceptions through frames and destructors, RTTI, containers, threads, static initialisers.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Noisy {
  int id;
  explicit Noisy(int n) : id(n) {}
  ~Noisy() { std::printf("destroy %d\n", id); }
};
static Noisy global(0);
static int deep(int n) {
  Noisy here(n);
  if (n == 3) throw std::runtime_error("from depth " + std::to_string(n));
  return deep(n + 1) + 1;
}
struct Base { virtual ~Base() = default; virtual const char *name() const { return "base"; } };
struct Derived : Base { const char *name() const override { return "derived"; } };
int main() {
  try { deep(1); } catch (const std::exception &e) { std::printf("caught %s\n", e.what()); }
  try {
    try { throw 42; } catch (int n) { std::printf("int %d\n", n); throw; }
  } catch (...) { std::printf("again\n"); }
  try { std::vector<int>().at(5); } catch (const std::out_of_range &) { std::printf("out_of_range\n"); }
  std::unique_ptr<Base> b = std::make_unique<Derived>();
  std::printf("%s %d\n", b->name(), dynamic_cast<Derived *>(b.get()) != nullptr);
  std::map<std::string, int> words;
  for (const char *w : {"page", "fault", "page", "frame", "page"}) words[w]++;
  for (auto &[word, n] : words) std::printf("%s %d\n", word.c_str(), n);
  std::vector<int> v(1000);
  for (int i = 0; i < 1000; i++) v[i] = (i * 7919) % 1000;
  std::sort(v.begin(), v.end());
  std::printf("sorted %d %d %d\n", v[0], v[500], v[999]);
  std::string from;
  std::thread t([&] { try { throw std::string("thread"); } catch (std::string &s) { from = s; } });
  t.join();
  std::printf("%s\n", from.c_str());
  int caught = 0;
  for (int i = 0; i < 1000; i++) { try { throw i; } catch (int n) { caught += n == i; } }
  std::printf("caught %d\n", caught);
}
