/**
 * What TF_NUM_INTEROP_THREADS is set to where no other number above 1 is asked for. Graphs then run on the thread that
 * calls them (tensorflow/core/common_runtime/direct_session.cc): there is no other thread to wake up and to wait for.
 */
export const callersThread = '-1';

/** Whether graphs run on threads of TensorFlow's own, which must not be the last to let go of memory of JavaScript's. */
export function runsGraphsElsewhere(): boolean {
  return process.env.TF_NUM_INTEROP_THREADS !== callersThread;
}
