import { describe, expect, test } from 'vitest';
import { planLaunch } from '../../../engine/launch/launchPlan.ts';
import { withLargePages, workerEnvironment } from '../../../engine/launch/workerEnvironment.ts';

const machine = { devices: [], cores: 8 };

describe('the environment of a training process', () => {
  test.each([
    { id: 'all cores for one process', options: {}, threads: '8' },
    { id: 'a share of the cores for each of several', options: { numProcesses: 3 }, threads: '2' },
    { id: 'as many threads as asked for', options: { numProcesses: 2, threadsPerProcess: 1 }, threads: '1' },
  ])('sets threads under every name that the libraries read: $id', ({ options, threads }) => {
    const { plan } = planLaunch(options, machine);
    for (const process of plan.processes) {
      expect(workerEnvironment(process, plan, '/run', undefined)).toMatchObject({
        RANK: String(process.rank),
        WORLD_SIZE: String(plan.processes.length),
        OMP_NUM_THREADS: threads,
        TF_NUM_INTRAOP_THREADS: threads,
        TF_NUM_INTEROP_THREADS: '1',
        GLIBC_TUNABLES: expect.stringContaining('glibc.malloc.hugetlb='),
      });
    }
  });

  test.each([
    { given: undefined, set: 'glibc.malloc.hugetlb=1' },
    { given: '', set: 'glibc.malloc.hugetlb=1' },
    { given: 'glibc.malloc.check=0', set: 'glibc.malloc.check=0:glibc.malloc.hugetlb=1' },
    { given: 'glibc.malloc.hugetlb=0', set: 'glibc.malloc.hugetlb=0' },
  ])('asks for large pages beside other settings of glibc ($given), and leaves a choice', ({ given, set }) => {
    expect(withLargePages(given)).toBe(set);
  });

  test('names the checkpoint to go on from only where there is one', () => {
    const { plan } = planLaunch({}, machine);
    const [process] = plan.processes;
    if (process === undefined) throw new Error('no process');
    expect(workerEnvironment(process, plan, '/run', undefined)).not.toHaveProperty('ACCELHYDRA_RESUME_FROM');
    expect(workerEnvironment(process, plan, '/run', 'checkpoints/epoch_1')).toMatchObject({
      ACCELHYDRA_RESUME_FROM: 'checkpoints/epoch_1',
    });
  });
});
