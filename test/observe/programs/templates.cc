// Much inlining out of headers.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

template <class T> static T sum(const std::vector<T> &all) {
  T total{};
  for (auto each : all) total += each;
  return total;
}

int main() {
  std::map<std::string, std::vector<double>> groups;
  for (int i = 0; i < 1000; i++) groups[std::to_string(i % 37)].push_back(i);
  std::vector<std::pair<double, std::string>> sums;
  for (auto &[name, all] : groups) {
    std::sort(all.begin(), all.end(), [](double a, double b) { return a > b; });
    sums.emplace_back(sum(all), name);
  }
  std::sort(sums.begin(), sums.end());
  auto shared = std::make_shared<std::string>(sums.front().second);
  std::cout << *shared << "\n";
}
