import { describe, expect, test } from 'vitest';
import { parseLaunchFile, readLaunchFile } from '../../../engine/launch/launchFile.ts';

const written = `compute_environment: LOCAL_MACHINE
debug: false
distributed_type: MULTI_CPU
downcast_bf16: 'no'
enable_cpu_affinity: false
machine_rank: 0
main_training_function: main
mixed_precision: 'no'
num_machines: 1
num_processes: 2
rdzv_backend: static
same_network: true
tpu_env: []
tpu_use_cluster: false
tpu_use_sudo: false
use_cpu: true
`;

describe('launch files', () => {
  test('what accelerate config writes for two CPU processes', () => {
    expect(parseLaunchFile(written, '2cpu.yaml')).toEqual({
      options: { numProcesses: 2, useCpu: true, mixedPrecision: 'no' },
      warnings: [],
    });
  });

  test.each([
    { id: 'GPU list as text', text: 'gpu_ids: 0,1', options: { gpuIds: '0,1' } },
    { id: 'one GPU as a number', text: 'gpu_ids: 1', options: { gpuIds: '1' } },
    { id: 'GPU list', text: 'gpu_ids: [2, 3]', options: { gpuIds: '2,3' } },
    { id: 'all GPUs', text: 'gpu_ids: all', options: { gpuIds: 'all' } },
    { id: 'unquoted no', text: 'mixed_precision: false', options: { mixedPrecision: 'no' } },
    {
      id: 'port and threads',
      text: 'main_process_port: 29501\nnum_cpu_threads_per_process: 3',
      options: { mainProcessPort: 29501, threadsPerProcess: 3 },
    },
    { id: 'CPU by distributed_type', text: 'distributed_type: MULTI_CPU', options: { useCpu: true } },
    {
      id: 'restarts',
      text: 'max_restarts: 2\nmonitor_interval: 0.1\ntee: 3\nmain_process_ip: null',
      options: { maxRestarts: 2 },
    },
    { id: 'an empty file', text: '# nothing\n', options: {} },
    { id: 'empty sections', text: 'deepspeed_config: {}\nfsdp_config:\ndynamo_config: {}', options: {} },
  ])('reads $id', ({ text, options }) => {
    expect(parseLaunchFile(text, 'f.yaml').options).toEqual(options);
  });

  test.each([
    {
      id: 'an unknown key',
      text: 'use_cpu: true\nnum_proceses: 2',
      code: 'invalid',
      message: "f.yaml:2: there is no launch key 'num_proceses'. Did you mean 'num_processes'?",
    },
    {
      id: 'a wrong type',
      text: 'num_processes: two',
      code: 'invalid',
      message: 'f.yaml:1: num_processes is "two", but it must be a whole number of at least 1.',
    },
    { id: 'no process', text: 'num_processes: 0', code: 'invalid', message: 'at least 1' },
    { id: 'a wrong precision', text: 'mixed_precision: fp8', code: 'invalid', message: 'no, fp16 or bf16' },
    { id: 'wrong GPUs', text: 'gpu_ids: 0;1', code: 'invalid', message: "'all' or indices" },
    { id: 'broken YAML', text: 'a: [1', code: 'invalid', message: 'f.yaml:1' },
    { id: 'a list', text: '- a', code: 'invalid', message: 'mapping of keys' },
    {
      id: 'more machines',
      text: 'num_machines: 2',
      code: 'unsupported',
      message: 'f.yaml:1: num_machines: 2 machines are not supported',
    },
    {
      id: 'another machine',
      text: 'main_process_ip: 10.0.0.7',
      code: 'unsupported',
      message: "'10.0.0.7' is not this machine",
    },
    { id: 'DeepSpeed', text: 'distributed_type: DEEPSPEED', code: 'unsupported', message: 'MULTI_CPU or MULTI_GPU' },
    {
      id: 'FSDP options',
      text: 'fsdp_config: {fsdp_version: 2}',
      code: 'unsupported',
      message: 'plain data parallelism',
    },
    { id: 'a TPU', text: 'tpu_name: v4', code: 'unsupported', message: 'TPUs are not supported' },
    { id: 'SageMaker', text: 'compute_environment: AMAZON_SAGEMAKER', code: 'unsupported', message: 'on this machine' },
    { id: 'TPU downcast', text: 'downcast_bf16: yes', code: 'unsupported', message: 'TPUs' },
  ])('refuses $id', ({ text, code, message }) => {
    expect(() => parseLaunchFile(text, 'f.yaml')).toThrow(
      expect.objectContaining({ code: `launch.file-${code}`, message: expect.stringContaining(message) }),
    );
  });

  test('says what it does not use', () => {
    const { warnings } = parseLaunchFile(
      'log_dir: /x\nenable_cpu_affinity: true\ndistributed_type: NO\nnum_processes: 2',
      'f',
    );
    expect(warnings).toHaveLength(3);
  });

  test('a file that is not there', () => {
    expect(() => readLaunchFile('/nowhere/x.yaml')).toThrow('/nowhere/x.yaml cannot be read: there is no such file.');
  });
});
