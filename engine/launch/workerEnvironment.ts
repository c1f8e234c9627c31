import type { LaunchPlan, PlannedProcess } from '../api/launch.ts';

/**
 * What a training process finds in its environment: its rank in the names that Accelerate and PyTorch use, its GPU, and
 * its share of the cores. Threads of one operation (`num_cpu_threads_per_process`, else the cores divided by the
 * processes) are set under every name that the libraries read as they load; operations do not run side by side
 * (`TF_NUM_INTEROP_THREADS` 1), which small nets are slower with.
 */
export function workerEnvironment(
  process: PlannedProcess,
  plan: LaunchPlan,
  runDir: string,
  resumeFrom: string | undefined,
): Record<string, string> {
  const threads = String(process.threads);
  const count = String(plan.processes.length);
  return {
    RANK: String(process.rank),
    LOCAL_RANK: String(process.rank),
    WORLD_SIZE: count,
    LOCAL_WORLD_SIZE: count,
    CUDA_VISIBLE_DEVICES: process.cudaVisibleDevices,
    // the order in which nvidia-smi and this plan count
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    OMP_NUM_THREADS: threads,
    TF_NUM_INTRAOP_THREADS: threads,
    TF_NUM_INTEROP_THREADS: '1',
    ACCELERATE_MIXED_PRECISION: plan.mixedPrecision,
    ACCELHYDRA_RUN_DIR: runDir,
    ...(resumeFrom === undefined ? {} : { ACCELHYDRA_RESUME_FROM: resumeFrom }),
  };
}
