// The C++ library: streams, strings, regex, containers, algorithms, random numbers, chrono, filesystem.
#include <algorithm>
#include <bitset>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <unordered_map>
#include <variant>
#include <vector>
#include <unistd.h>
int main() {
  std::cout << "int " << 42 << " hex " << std::hex << 255 << std::dec << " double " << 3.14159 << ' ' << std::setprecision(12) << 1.0 / 3 << ' '
            << std::scientific << 12345.678 << std::fixed << std::setw(20) << std::setfill('*') << 2.5 << std::endl;
  std::cout << std::boolalpha << true << ' ' << std::showbase << std::oct << 8 << std::dec << std::left << std::setw(6) << 'c' << std::defaultfloat << '\n';
  std::istringstream in("12 3.5 word 0x1f\nsecond line here\n7 8 9 x");
  int a; double d; std::string w, line;
  in >> a >> d >> w >> std::hex >> std::ws;
  int h; in >> h; std::getline(in, line); std::getline(in, line);
  std::cout << a << ' ' << d << ' ' << w << ' ' << h << " <" << line << ">\n";
  in >> std::dec;
  int sum = 0; while (in >> a) sum += a;
  std::cout << sum << ' ' << in.fail() << in.eof() << '\n';
  std::regex word("(\\w+)@(\\w+)\\.(com|org)");
  std::string mail = "ann@example.com, bob@site.org; nobody@nowhere";
  for (std::sregex_iterator it(mail.begin(), mail.end(), word), end; it != end; ++it) std::cout << (*it)[1] << " at " << (*it)[2] << '\n';
  std::cout << std::regex_replace(mail, word, "<$2>") << '\n' << std::regex_match("2026-11-21", std::regex("\\d{4}(-\\d\\d){2}")) << '\n';
  try { std::regex bad("(unclosed"); } catch (const std::regex_error &) { std::cout << "regex_error\n"; }
  std::mt19937 random(12345); std::mt19937_64 random64(6);
  std::vector<unsigned> values(50000);
  for (auto &v : values) v = random();
  auto copy = values;
  std::sort(values.begin(), values.end());
  std::stable_sort(copy.begin(), copy.end(), std::greater<>());
  std::reverse(copy.begin(), copy.end());
  std::cout << (copy == values) << ' ' << values[25000] << ' ' << random64() << ' ' << std::accumulate(values.begin(), values.end(), 0ull) << '\n';
  std::nth_element(copy.begin(), copy.begin() + 100, copy.end());
  std::make_heap(copy.begin(), copy.end()); std::sort_heap(copy.begin(), copy.end());
  std::cout << (copy == values) << ' ' << copy[100] << ' ' << std::uniform_int_distribution<int>(1, 6)(random) << '\n';
  std::map<std::string, int> words; std::unordered_map<int, std::string> names; std::set<int> primes;
  for (int i = 0; i < 3000; i++) { words["w" + std::to_string(i * 7919 % 997)] += i; names[i * 31] = std::to_string(i); }
  for (int i = 2; i < 3000; i++) if (std::none_of(primes.begin(), primes.end(), [i](int p) { return i % p == 0; })) primes.insert(i);
  std::cout << words.size() << ' ' << words["w500"] << ' ' << names.size() << ' ' << names[310] << ' ' << primes.size() << ' ' << *primes.rbegin() << '\n';
  std::list<int> list(1000); std::iota(list.begin(), list.end(), 0); list.remove_if([](int i) { return i % 3; }); list.reverse();
  std::deque<int> deque(list.begin(), list.end()); deque.push_front(-1);
  std::priority_queue<int> heap(deque.begin(), deque.end()); heap.pop();
  std::cout << list.size() << ' ' << list.front() << ' ' << deque[0] << ' ' << heap.top() << ' ' << std::bitset<12>(1234) << '\n';
  std::variant<int, std::string> either = "text"; std::optional<int> maybe;
  std::cout << std::get<std::string>(either) << ' ' << maybe.value_or(5) << ' ' << either.index() << '\n';
  std::cout << std::chrono::duration_cast<std::chrono::minutes>(std::chrono::hours(3)).count() << '\n';
  auto t0 = std::chrono::steady_clock::now();
  std::cout << (std::chrono::steady_clock::now() >= t0) << '\n';
  namespace fs = std::filesystem;
  fs::path dir = fs::temp_directory_path() / ("cxx." + std::to_string(getpid()));
  fs::create_directories(dir / "a" / "b");
  { std::ofstream out(dir / "a" / "file.txt"); for (int i = 0; i < 1000; i++) out << i << ' ' << i * i << '\n'; }
  std::ifstream file(dir / "a" / "file.txt"); long x, y, total = 0; while (file >> x >> y) total += y;
  fs::copy(dir / "a" / "file.txt", dir / "copy.txt"); fs::create_symlink("copy.txt", dir / "link");
  std::vector<std::string> found;
  for (auto &entry : fs::recursive_directory_iterator(dir)) found.push_back(entry.path().lexically_relative(dir).string() + (entry.is_directory() ? "/" : ""));
  std::sort(found.begin(), found.end());
  for (auto &f : found) std::cout << f << ' ';
  std::cout << total << ' ' << fs::file_size(dir / "link") << ' ' << fs::remove_all(dir) << '\n';
  std::cout.flush();
  std::cerr << "";
  return std::cout.good() ? 0 : 1;
}
