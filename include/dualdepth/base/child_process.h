#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace dualdepth {

// Where a child process's standard error goes.
enum class ErrorStream {
  kInherited,  // to this process's
  kWithOutput  // into the pipe of its standard output
};

// A program that runs beside this one. Its standard input is empty; its standard output is a pipe
// that look() reads. It and all that it starts form a process group of their own, so that a
// terminal's Ctrl-C does not reach it. It is killed (SIGKILL) when the thread that started it ends,
// however that ends, and by the destructor, which also kills what it has left behind.
class ChildProcess {
 public:
  // words: the program's path and its arguments, each passed as it stands. Throws Error naming the
  // program when no process can be made. A program that cannot be run ends with exit code 127.
  ChildProcess(std::vector<std::string> words, ErrorStream errors);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Sends a signal to the process group.
  void send(int signal) const;

  // Waits at most so long for output or the end, and appends what was printed, at most some MiB.
  void look(std::chrono::milliseconds wait, std::string& output);

  bool has_ended() const { return ended_; }

  // As waitpid() returns it; of meaning once has_ended().
  int status() const { return status_; }

 private:
  void read(std::string& output);

  pid_t process_ = 0;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = false;
  bool is_closed_ = false;
};

}  // namespace dualdepth
