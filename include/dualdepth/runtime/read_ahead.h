#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace dualdepth {

// Produces item 0, 1, ... `count`-1 in the background, at most `ahead` at a time, and hands them
// over in order: pictures are decoded while the network works on earlier ones, in flat memory.
template <class Item>
class ReadAhead {
 public:
  // produce(index) is called from several threads at once.
  ReadAhead(size_t count, size_t ahead, std::function<Item(size_t)> produce)
      : count_(count), produce_(std::move(produce)) {
    while (pending_.size() < ahead && begin_next()) {
    }
  }

  // The next item; throws what its production threw. Call it `count` times at most.
  Item next() {
    std::future<Item> first = std::move(pending_.front());
    pending_.pop_front();
    begin_next();
    return first.get();
  }

 private:
  bool begin_next() {
    if (begun_ == count_) return false;
    pending_.push_back(std::async(std::launch::async, produce_, begun_++));
    return true;
  }

  size_t count_;
  size_t begun_ = 0;
  std::function<Item(size_t)> produce_;
  std::deque<std::future<Item>> pending_;
};

}  // namespace dualdepth
