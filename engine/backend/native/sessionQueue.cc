#include "sessionQueue.h"

#include <algorithm>
#include <utility>

#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/protobuf/config.pb.h"
#include "tensorflow/core/public/session_options.h"

namespace accelhydra {

using tensorflow::Session;
using tensorflow::Tensor;

absl::Status QueuedSession::create(const std::string& graphDef, std::shared_ptr<QueuedSession>* made) {
  tensorflow::GraphDef graph;
  if (!graph.ParseFromString(graphDef)) return absl::InvalidArgumentError("the graph cannot be read");
  Session* session = nullptr;
  TF_RETURN_IF_ERROR(tensorflow::NewSession(tensorflow::SessionOptions(), &session));
  made->reset(new QueuedSession(std::unique_ptr<Session>(session)));
  return session->Create(std::move(graph));
}

QueuedSession::~QueuedSession() { session_->Close().IgnoreError(); }

absl::Status QueuedSession::callable(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                     Session::CallableHandle* handle) {
  tensorflow::CallableOptions options;
  for (const std::string& name : feeds) options.add_feed(name);
  for (const std::string& name : fetches) options.add_fetch(name);
  return session_->MakeCallable(options, handle);
}

namespace {

std::size_t bytesOf(const std::vector<Tensor>& tensors) {
  std::size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.TotalBytes();
  return bytes;
}

}  // namespace

SessionQueue::~SessionQueue() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    isEnding_ = true;
    tasks_.clear();
  }
  asked_.notify_one();
  thread_.join();
}

std::int64_t SessionQueue::start(const std::shared_ptr<QueuedSession>& session, Session::CallableHandle handle,
                                 std::vector<Tensor> inputs, bool keeps) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::size_t room = newestRun_ <= shortRun && bytesOf(inputs) <= smallInputs ? shortRunsWaiting : 1;
  // once there is no room most of it is run first
  if (tasks_.size() >= room) waitForRoom(lock, (room - 1) / 3);
  if (session->failure_.has_value()) return 0;
  const std::int64_t ticket = ++tickets_;
  ask({ticket, session, handle, std::move(inputs), nullptr, keeps}, lock);
  return ticket;
}

std::optional<std::vector<Tensor>> SessionQueue::takeOutputs(std::int64_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ticket > ended_) return std::nullopt;
  std::vector<Tensor> outputs;
  const auto after = kept_.upper_bound(ticket);
  const auto found = kept_.find(ticket);
  if (found != kept_.end()) outputs = std::move(found->second);
  kept_.erase(kept_.begin(), after);
  return outputs;
}

Answer SessionQueue::run(const std::shared_ptr<QueuedSession>& session, Session::CallableHandle handle,
                         std::vector<Tensor> inputs) {
  Answer answer;
  std::unique_lock<std::mutex> lock(mutex_);
  ask({++tickets_, session, handle, std::move(inputs), &answer, false}, lock);
  waitUntil(lock, [&answer] { return answer.isGiven; });
  return answer;
}

void SessionQueue::settle() {
  std::unique_lock<std::mutex> lock(mutex_);
  waitUntil(lock, [this] { return tasks_.empty() && !isRunning_; });
}

std::optional<Failure> SessionQueue::takeFailure(QueuedSession& session) {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(session.failure_, std::nullopt);
}

void SessionQueue::ask(Task task, std::unique_lock<std::mutex>& lock) {
  tasks_.push_back(std::move(task));
  if (isRunning_) return;
  lock.unlock();
  asked_.notify_one();
  lock.lock();
}

void SessionQueue::waitUntil(std::unique_lock<std::mutex>& lock, const std::function<bool()>& holds) {
  awaited_ = &holds;
  reached_.wait(lock, holds);
  awaited_ = nullptr;
}

void SessionQueue::waitForRoom(std::unique_lock<std::mutex>& lock, std::size_t waiting) {
  if (newestRun_ > briefRun) return waitUntil(lock, [this, waiting] { return tasks_.size() <= waiting; });
  while (tasks_.size() > waiting) {
    // the newest may have been much briefer than what runs now
    const auto pause = std::max<Duration>(newestRun_, shortestPause) * static_cast<Duration::rep>(tasks_.size() - waiting);
    lock.unlock();
    std::this_thread::sleep_for(pause);
    lock.lock();
  }
}

void SessionQueue::tell(std::unique_lock<std::mutex>& lock) {
  if (awaited_ == nullptr || !(*awaited_)()) return;
  lock.unlock();
  reached_.notify_one();
  lock.lock();
}

void SessionQueue::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return isEnding_ || !tasks_.empty(); });
    if (isEnding_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    isRunning_ = true;
    // what came after a failure was asked for without knowing of it
    const bool isLate = task.session->failure_.has_value();
    tell(lock);
    lock.unlock();
    Answer answer;
    answer.isLate = isLate;
    const auto began = std::chrono::steady_clock::now();
    if (!isLate) answer.status = task.session->session_->RunCallable(task.handle, task.inputs, &answer.outputs, nullptr);
    const auto took = std::chrono::steady_clock::now() - began;
    if (answer.status.ok()) task.inputs.clear();
    lock.lock();
    isRunning_ = false;
    newestRun_ = took;
    finish(std::move(task), std::move(answer));
    tell(lock);
  }
}

void SessionQueue::finish(Task task, Answer answer) {
  ended_ = task.ticket;
  if (task.answer != nullptr) {
    *task.answer = std::move(answer);
    task.answer->isGiven = true;
  } else if (!answer.status.ok()) {
    task.session->failure_ = Failure{task.ticket, std::move(answer.status), std::move(task.inputs)};
  } else if (task.keeps && !answer.isLate) {
    kept_.emplace(task.ticket, std::move(answer.outputs));
  }
}

}  // namespace accelhydra
