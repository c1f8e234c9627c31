// What JavaScript calls: see engine/backend/graph/nativeSessions.ts for the other side.
#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "inputMemory.h"
#include "sessionQueue.h"
#include "stash.h"
#include "tensorflow/core/framework/types.pb.h"

namespace accelhydra {
namespace {

using tensorflow::DataType;
using tensorflow::Tensor;
using tensorflow::TensorShape;

/** What could not be done, to be thrown in JavaScript. */
struct Refused {
  std::string message;
};

[[noreturn]] void refuse(const std::string& message) { throw Refused{message}; }

void need(napi_status status) {
  if (status != napi_ok) refuse("a value of another kind was expected");
}

void need(const absl::Status& status) {
  if (!status.ok()) refuse(std::string(status.message()));
}

/**
 * The queue of a JavaScript environment, with its thread once there is something to run. The thread ends, after the run that
 * it is at, before the environment does. A process that calls `exit` takes TensorFlow apart, so JavaScript ends it before:
 * the handler here may come after some of that, and is only for who leaves without asking JavaScript.
 */
class Environment {
 public:
  Environment() {
    static const bool isAsked = std::atexit(endAll) == 0;
    static_cast<void>(isAsked);
    std::lock_guard<std::mutex> lock(mutex());
    all().insert(this);
  }
  ~Environment() {
    std::lock_guard<std::mutex> lock(mutex());
    all().erase(this);
  }

  SessionQueue& queue() {
    if (queue_ == nullptr) queue_ = std::make_unique<SessionQueue>();
    return *queue_;
  }
  void end() { queue_.reset(); }

 private:
  static std::mutex& mutex() {
    static auto* mutex = new std::mutex();
    return *mutex;
  }
  static std::set<Environment*>& all() {
    static auto* environments = new std::set<Environment*>();
    return *environments;
  }
  static void endAll() {
    std::lock_guard<std::mutex> lock(mutex());
    for (Environment* environment : all()) environment->end();
  }

  std::unique_ptr<SessionQueue> queue_;
};

Environment& environmentOf(napi_env env) {
  void* data = nullptr;
  need(napi_get_instance_data(env, &data));
  return *static_cast<Environment*>(data);
}

/** The arguments of a call; as many as are asked for. */
std::vector<napi_value> argumentsOf(napi_env env, napi_callback_info info, std::size_t count) {
  std::vector<napi_value> values(count);
  std::size_t given = count;
  need(napi_get_cb_info(env, info, &given, values.data(), nullptr, nullptr));
  if (given < count) refuse("too few arguments");
  return values;
}

/** A session that JavaScript holds, until it is closed. */
struct Handle {
  std::shared_ptr<QueuedSession> session;
};

const std::shared_ptr<QueuedSession>& sessionOf(napi_env env, napi_value value) {
  void* data = nullptr;
  need(napi_get_value_external(env, value, &data));
  const auto& session = static_cast<Handle*>(data)->session;
  if (session == nullptr) refuse("the session is closed");
  return session;
}

std::int32_t int32Of(napi_env env, napi_value value) {
  std::int32_t number = 0;
  need(napi_get_value_int32(env, value, &number));
  return number;
}

std::int64_t int64Of(napi_env env, napi_value value) {
  std::int64_t number = 0;
  need(napi_get_value_int64(env, value, &number));
  return number;
}

std::string textOf(napi_env env, napi_value value) {
  std::size_t length = 0;
  need(napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  need(napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

std::uint32_t lengthOf(napi_env env, napi_value list) {
  std::uint32_t length = 0;
  need(napi_get_array_length(env, list, &length));
  return length;
}

napi_value itemOf(napi_env env, napi_value list, std::uint32_t index) {
  napi_value item = nullptr;
  need(napi_get_element(env, list, index, &item));
  return item;
}

napi_value memberOf(napi_env env, napi_value object, const char* name) {
  napi_value member = nullptr;
  need(napi_get_named_property(env, object, name, &member));
  return member;
}

std::vector<std::string> textsOf(napi_env env, napi_value list) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0, length = lengthOf(env, list); i < length; i++) texts.push_back(textOf(env, itemOf(env, list, i)));
  return texts;
}

/** {values, shape, dtype}: a copy, since JavaScript goes on with its memory while the graph runs. */
Tensor hostTensor(napi_env env, napi_value value) {
  napi_value list = memberOf(env, value, "shape");
  TensorShape shape;
  for (std::uint32_t i = 0, rank = lengthOf(env, list); i < rank; i++)
    need(shape.AddDimWithStatus(int64Of(env, itemOf(env, list, i))));
  Tensor tensor(&InputMemory::shared(), static_cast<DataType>(int32Of(env, memberOf(env, value, "dtype"))), shape);
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  need(napi_get_typedarray_info(env, memberOf(env, value, "values"), &type, &length, &data, nullptr, nullptr));
  const std::size_t bytes = length * (type == napi_uint8_array ? 1 : 4);
  const bool isKnown = type == napi_uint8_array || type == napi_int32_array || type == napi_float32_array;
  if (!isKnown || bytes != tensor.TotalBytes()) refuse("the values do not fit their shape and type");
  if (bytes > 0) std::memcpy(tensor.data(), data, bytes);
  return tensor;
}

/** Each is a number that something was kept under, or {values, shape, dtype}. */
std::vector<Tensor> tensorsOf(napi_env env, napi_value list) {
  std::vector<Tensor> tensors;
  for (std::uint32_t i = 0, length = lengthOf(env, list); i < length; i++) {
    napi_value item = itemOf(env, list, i);
    napi_valuetype type;
    need(napi_typeof(env, item, &type));
    if (type != napi_number) {
      tensors.push_back(hostTensor(env, item));
      continue;
    }
    tensors.emplace_back();
    if (!Stash::shared().take(int32Of(env, item), &tensors.back())) refuse("nothing is kept under this number");
  }
  return tensors;
}

napi_value numberOf(napi_env env, std::int64_t number) {
  napi_value value = nullptr;
  need(napi_create_int64(env, number, &value));
  return value;
}

napi_value undefinedOf(napi_env env) {
  napi_value value = nullptr;
  need(napi_get_undefined(env, &value));
  return value;
}

/** {shape, dtype} of a tensor. */
napi_value describedOf(napi_env env, const Tensor& tensor) {
  napi_value object = nullptr;
  napi_value shape = nullptr;
  need(napi_create_object(env, &object));
  need(napi_create_array_with_length(env, tensor.dims(), &shape));
  for (int i = 0; i < tensor.dims(); i++) need(napi_set_element(env, shape, i, numberOf(env, tensor.dim_size(i))));
  need(napi_set_named_property(env, object, "shape", shape));
  need(napi_set_named_property(env, object, "dtype", numberOf(env, tensor.dtype())));
  return object;
}

/** {key, shape, dtype} of a tensor that is kept for JavaScript to take. */
napi_value keptOf(napi_env env, const Tensor& tensor) {
  napi_value object = describedOf(env, tensor);
  need(napi_set_named_property(env, object, "key", numberOf(env, Stash::shared().keep(tensor))));
  return object;
}

/** How many bytes are rather copied than kept: numbers, such as a loss. */
constexpr std::size_t fewBytes = 64;

bool isNumbers(DataType type) {
  return type == tensorflow::DT_FLOAT || type == tensorflow::DT_INT32 || type == tensorflow::DT_BOOL;
}

/** {values, shape, dtype} of a few numbers, or as `keptOf`. */
napi_value givenOf(napi_env env, const Tensor& tensor) {
  const std::size_t bytes = tensor.TotalBytes();
  if (bytes > fewBytes || !isNumbers(tensor.dtype())) return keptOf(env, tensor);
  void* data = nullptr;
  napi_value memory = nullptr;
  napi_value values = nullptr;
  need(napi_create_arraybuffer(env, bytes, &data, &memory));
  if (bytes > 0) std::memcpy(data, tensor.data(), bytes);
  const napi_typedarray_type type = tensor.dtype() == tensorflow::DT_FLOAT   ? napi_float32_array
                                    : tensor.dtype() == tensorflow::DT_INT32 ? napi_int32_array
                                                                             : napi_uint8_array;
  need(napi_create_typedarray(env, type, tensor.NumElements(), memory, 0, &values));
  napi_value object = describedOf(env, tensor);
  need(napi_set_named_property(env, object, "values", values));
  return object;
}

template <napi_value (*itemFrom)(napi_env, const Tensor&)>
napi_value listOf(napi_env env, const std::vector<Tensor>& tensors) {
  napi_value list = nullptr;
  need(napi_create_array_with_length(env, tensors.size(), &list));
  for (std::size_t i = 0; i < tensors.size(); i++) need(napi_set_element(env, list, i, itemFrom(env, tensors[i])));
  return list;
}

/** open(graphDef: Uint8Array): session */
napi_value open(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 1);
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  need(napi_get_typedarray_info(env, arguments[0], &type, &length, &data, nullptr, nullptr));
  if (type != napi_uint8_array) refuse("a graph is an array of bytes");
  auto handle = std::make_unique<Handle>();
  need(QueuedSession::create(std::string(static_cast<const char*>(data), length), &handle->session));
  napi_value value = nullptr;
  const auto drop = [](napi_env, void* held, void*) { delete static_cast<Handle*>(held); };
  need(napi_create_external(env, handle.get(), drop, nullptr, &value));
  handle.release();
  return value;
}

/** callable(session, feeds: string[], fetches: string[]): number */
napi_value callable(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 3);
  tensorflow::Session::CallableHandle handle = 0;
  const auto& session = sessionOf(env, arguments[0]);
  need(session->callable(textsOf(env, arguments[1]), textsOf(env, arguments[2]), &handle));
  return numberOf(env, handle);
}

/** start(session, callable, inputs, keeps): its number, or 0 after a failure */
napi_value start(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 4);
  const auto& session = sessionOf(env, arguments[0]);
  const auto handle = int64Of(env, arguments[1]);
  bool keeps = false;
  need(napi_get_value_bool(env, arguments[3], &keeps));
  return numberOf(env, environmentOf(env).queue().start(session, handle, tensorsOf(env, arguments[2]), keeps));
}

/** outputs(number): {key or values, shape, dtype}[], empty where it did not run; undefined as long as it has not ended */
napi_value outputs(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 1);
  const auto taken = environmentOf(env).queue().takeOutputs(int64Of(env, arguments[0]));
  return taken.has_value() ? listOf<givenOf>(env, *taken) : undefinedOf(env);
}

/** run(session, callable, inputs): {key or values, shape, dtype}[], or undefined after a failure of what was started before */
napi_value run(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 3);
  const auto& session = sessionOf(env, arguments[0]);
  const auto handle = int64Of(env, arguments[1]);
  const Answer answer = environmentOf(env).queue().run(session, handle, tensorsOf(env, arguments[2]));
  need(answer.status);
  return answer.isLate ? undefinedOf(env) : listOf<givenOf>(env, answer.outputs);
}

/** failure(session): {ticket, message, inputs} | undefined, after all that was started has run */
napi_value failure(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 1);
  const auto& session = sessionOf(env, arguments[0]);
  SessionQueue& queue = environmentOf(env).queue();
  queue.settle();
  const auto failure = queue.takeFailure(*session);
  if (!failure.has_value()) return undefinedOf(env);
  napi_value object = nullptr;
  napi_value message = nullptr;
  const std::string text(failure->status.message());
  need(napi_create_object(env, &object));
  need(napi_create_string_utf8(env, text.data(), text.size(), &message));
  need(napi_set_named_property(env, object, "message", message));
  need(napi_set_named_property(env, object, "ticket", numberOf(env, failure->ticket)));
  need(napi_set_named_property(env, object, "inputs", listOf<keptOf>(env, failure->inputs)));
  return object;
}

/** close(session), after all that was started has run */
napi_value close(napi_env env, napi_callback_info info) {
  const auto arguments = argumentsOf(env, info, 1);
  void* data = nullptr;
  need(napi_get_value_external(env, arguments[0], &data));
  environmentOf(env).queue().settle();
  static_cast<Handle*>(data)->session.reset();
  return undefinedOf(env);
}

/** end(), after the run that the thread is at; what waits is dropped */
napi_value end(napi_env env, napi_callback_info) {
  environmentOf(env).end();
  return undefinedOf(env);
}

template <napi_value (*work)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return work(env, info);
  } catch (const Refused& refused) {
    napi_throw_error(env, nullptr, refused.message.c_str());
    return nullptr;
  }
}

template <napi_value (*work)(napi_env, napi_callback_info)>
void add(napi_env env, napi_value exports, const char* name) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<work>, nullptr, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

}  // namespace
}  // namespace accelhydra

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  using namespace accelhydra;
  auto* environment = new Environment();
  const auto drop = [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); };
  if (napi_set_instance_data(env, environment, drop, nullptr) != napi_ok) {
    delete environment;
    return exports;
  }
  napi_add_env_cleanup_hook(env, [](void* data) { static_cast<Environment*>(data)->end(); }, environment);
  napi_value waiting = nullptr;
  if (napi_create_int64(env, SessionQueue::shortRunsWaiting, &waiting) == napi_ok)
    napi_set_named_property(env, exports, "shortRunsWaiting", waiting);
  add<open>(env, exports, "open");
  add<callable>(env, exports, "callable");
  add<start>(env, exports, "start");
  add<outputs>(env, exports, "outputs");
  add<run>(env, exports, "run");
  add<failure>(env, exports, "failure");
  add<close>(env, exports, "close");
  add<end>(env, exports, "end");
  return exports;
}
