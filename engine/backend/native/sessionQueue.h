// Graphs that run on a thread of their own, in the order they were asked for, while JavaScript goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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
  static absl::Status create(const std::string& graphDef, std::shared_ptr<QueuedSession>* made);
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

/** What came of a run that somebody waits for. */
struct Answer {
  absl::Status status;
  std::vector<tensorflow::Tensor> outputs;
  /** What was asked for before has failed, nothing was run. */
  bool isLate = false;
  bool isGiven = false;
};

/**
 * One thread that runs sessions. Of what was asked for without waiting one may run and one wait, so that the thread does not
 * stand still; of short runs with small inputs four may wait, so that it does not either while JavaScript collects garbage,
 * and need not wake JavaScript for each. It is little enough for a failure to be known soon. One thread asks and waits.
 */
class SessionQueue {
 public:
  SessionQueue() : thread_([this] { serve(); }) {}
  ~SessionQueue();

  /**
   * Asks for a run and gives its number. Waits while there is no room. What it fetches is kept if `keeps` says so. After a
   * failure nothing of that session runs until it is taken: nothing is asked for then, and 0 given.
   */
  std::int64_t start(const std::shared_ptr<QueuedSession>& session, tensorflow::Session::CallableHandle handle,
                     std::vector<tensorflow::Tensor> inputs, bool keeps);

  /**
   * What a run gave that was started to be kept, once; runs before it are not asked about again. Nothing as long as it has
   * not ended, an empty list where it failed or was not run.
   */
  std::optional<std::vector<tensorflow::Tensor>> takeOutputs(std::int64_t ticket);

  /** Runs after all that was asked for, and waits for it. */
  Answer run(const std::shared_ptr<QueuedSession>& session, tensorflow::Session::CallableHandle handle,
             std::vector<tensorflow::Tensor> inputs);

  /** Waits until nothing runs. */
  void settle();

  /** The failure of a session that nobody was told of yet; it runs again from now on. */
  std::optional<Failure> takeFailure(QueuedSession& session);

  /** `mostUnderway` in TypeScript is one more: a test compares. */
  static constexpr std::size_t shortRunsWaiting = 4;

 private:
  using Duration = std::chrono::steady_clock::duration;

  static constexpr Duration shortRun = std::chrono::milliseconds(10);
  /** Waking who waits takes the thread 10 to 30 us, which is much beside a run that is as short as this. */
  static constexpr Duration briefRun = std::chrono::milliseconds(1);
  static constexpr Duration shortestPause = std::chrono::microseconds(20);
  /** Bytes that each may be fed with. */
  static constexpr std::size_t smallInputs = std::size_t{1} << 21;

  struct Task {
    std::int64_t ticket;
    /** Stays until this has run, whoever lets go of it. */
    std::shared_ptr<QueuedSession> session;
    tensorflow::Session::CallableHandle handle;
    std::vector<tensorflow::Tensor> inputs;
    /** Of who waits for it. */
    Answer* answer;
    bool keeps;
  };

  void serve();
  void finish(Task task, Answer answer);
  /** With the mutex locked before and after, as all below. */
  void ask(Task task, std::unique_lock<std::mutex>& lock);
  void waitUntil(std::unique_lock<std::mutex>& lock, const std::function<bool()>& holds);
  /** Waits until no more than so many wait to be run; of brief runs by looking again after as long as they should take. */
  void waitForRoom(std::unique_lock<std::mutex>& lock, std::size_t waiting);
  /** Wakes who waits if that holds which is waited for. */
  void tell(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable asked_;
  std::condition_variable reached_;
  const std::function<bool()>* awaited_ = nullptr;
  std::deque<Task> tasks_;
  std::int64_t tickets_ = 0;
  /** The newest that has ended. */
  std::int64_t ended_ = 0;
  /** Of runs that have ended, by ticket. */
  std::map<std::int64_t, std::vector<tensorflow::Tensor>> kept_;
  /** How long it took. */
  Duration newestRun_ = Duration::max();
  bool isRunning_ = false;
  bool isEnding_ = false;
  std::thread thread_;
};

}  // namespace accelhydra
