#include "sessionQueue.h"

#include <utility>

#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/protobuf/config.pb.h"
#include "tensorflow/core/public/session_options.h"

namespace accelhydra {

using tensorflow::Session;
using tensorflow::Tensor;

absl::Status QueuedSession::create(const std::string& graphDef, std::unique_ptr<QueuedSession>* made) {
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

SessionQueue::~SessionQueue() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    isEnding_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

std::int64_t SessionQueue::start(QueuedSession* session, Session::CallableHandle handle, std::vector<Tensor> inputs) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty(); });
  if (session->failure_.has_value()) return 0;
  tasks_.push_back({++tickets_, session, handle, std::move(inputs), nullptr, nullptr});
  const std::int64_t ticket = tickets_;
  lock.unlock();
  changed_.notify_all();
  return ticket;
}

absl::Status SessionQueue::run(QueuedSession* session, Session::CallableHandle handle, std::vector<Tensor> inputs,
                               std::vector<Tensor>* outputs, bool* isFailed) {
  absl::Status status;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return isIdle(); });
  *isFailed = session->failure_.has_value();
  if (*isFailed) return status;
  tasks_.push_back({++tickets_, session, handle, std::move(inputs), outputs, &status});
  changed_.notify_all();
  changed_.wait(lock, [this] { return isIdle(); });
  return status;
}

void SessionQueue::settle() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return isIdle(); });
}

std::optional<Failure> SessionQueue::takeFailure(QueuedSession* session) {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(session->failure_, std::nullopt);
}

void SessionQueue::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return isEnding_ || !tasks_.empty(); });
    if (isEnding_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    isRunning_ = true;
    // what came after a failure was asked for without knowing of it
    const bool isRun = !task.session->failure_.has_value();
    lock.unlock();
    changed_.notify_all();
    if (isRun) perform(std::move(task));
    lock.lock();
    isRunning_ = false;
    changed_.notify_all();
  }
}

void SessionQueue::perform(Task task) {
  std::vector<Tensor> unseen;
  std::vector<Tensor>* outputs = task.outputs == nullptr ? &unseen : task.outputs;
  absl::Status status = task.session->session_->RunCallable(task.handle, task.inputs, outputs, nullptr);
  if (task.status != nullptr) {
    *task.status = std::move(status);
    return;
  }
  if (status.ok()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  task.session->failure_ = Failure{task.ticket, std::move(status), std::move(task.inputs)};
}

}  // namespace accelhydra
