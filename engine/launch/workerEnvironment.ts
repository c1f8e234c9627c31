import { env } from 'node:process';
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
    GLIBC_TUNABLES: withLargePages(env.GLIBC_TUNABLES),
    ACCELERATE_MIXED_PRECISION: plan.mixedPrecision,
    ACCELHYDRA_RUN_DIR: runDir,
    ...(resumeFrom === undefined ? {} : { ACCELHYDRA_RESUME_FROM: resumeFrom }),
  };
}

/**
 * GLIBC_TUNABLES that have the C library ask Linux for pages of 2 MiB (madvise) for what it allocates, tensors among it: the
 * processor looks up fewer addresses. glibc reads it as a process starts; what it does not know, and where there are no such
 * pages, changes nothing. A choice that somebody made stands.
 */
export function withLargePages(tunables: string | undefined): string {
  const setting = 'glibc.malloc.hugetlb';
  if (tunables === undefined || tunables === '') return `${setting}=1`;
  return tunables.includes(`${setting}=`) ? tunables : `${tunables}:${setting}=1`;
}
