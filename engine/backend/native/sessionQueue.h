// Graphs that run on a thread of their own, in the order they were asked for, while JavaScript goes on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

namespace accelhydra {

/** What went wrong in a run that nobody waited for. */
struct Failure {
  std::int64_t ticket;
  absl::Status status;
  std::vector<tensorflow::Tensor> inputs;
};

/** A graph in a session of its own. Only the queue's thread runs it. */
class QueuedSession {
 public:
  static absl::Status create(const std::string& graphDef, std::unique_ptr<QueuedSession>* made);
  ~QueuedSession();

  /** A subgraph to be run: `feeds` and `fetches` are named node:output. The handle is at home in this session. */
  absl::Status callable(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                        tensorflow::Session::CallableHandle* handle);

 private:
  friend class SessionQueue;
  explicit QueuedSession(std::unique_ptr<tensorflow::Session> session) : session_(std::move(session)) {}

  std::unique_ptr<tensorflow::Session> session_;
  std::optional<Failure> failure_;
};

/**
 * One thread that runs sessions. Of what was asked for without waiting one may run and one wait: enough for the thread
 * never to stand still, and little enough for what is asked for to be known to have gone well soon.
 */
class SessionQueue {
 public:
  SessionQueue() : thread_([this] { serve(); }) {}
  ~SessionQueue();

  /**
   * Asks for a run, which fetches nothing that anybody sees, and gives its number. Waits while another one waits. After a
   * failure nothing of that session runs until it is taken: nothing is asked for then, and 0 given.
   */
  std::int64_t start(QueuedSession* session, tensorflow::Session::CallableHandle handle,
                     std::vector<tensorflow::Tensor> inputs);

  /** Runs after all that was asked for, and waits for it. `isFailed`: what was asked for before has failed, nothing was run. */
  absl::Status run(QueuedSession* session, tensorflow::Session::CallableHandle handle,
                   std::vector<tensorflow::Tensor> inputs, std::vector<tensorflow::Tensor>* outputs, bool* isFailed);

  /** Waits until nothing runs. */
  void settle();

  /** The failure of a session that nobody was told of yet; it runs again from now on. */
  std::optional<Failure> takeFailure(QueuedSession* session);

 private:
  struct Task {
    std::int64_t ticket;
    QueuedSession* session;
    tensorflow::Session::CallableHandle handle;
    std::vector<tensorflow::Tensor> inputs;
    std::vector<tensorflow::Tensor>* outputs;
    absl::Status* status;
  };

  void serve();
  void perform(Task task);
  bool isIdle() const { return tasks_.empty() && !isRunning_; }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::int64_t tickets_ = 0;
  bool isRunning_ = false;
  bool isEnding_ = false;
  std::thread thread_;
};

}  // namespace accelhydra
