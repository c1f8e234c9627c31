import { expect, test } from 'vitest';
import { DeviceInfo, DoctorReport } from '../../../engine/api/machine.ts';
import { inspectMachine, listDevices, tensorflowObstacle } from '../../../engine/backend/index.ts';

test('the doctor says what is found and what is used, in plain data', async () => {
  const report = DoctorReport.parse(JSON.parse(JSON.stringify(await inspectMachine())));
  const names = report.checks.map((check) => check.name);
  const kernels = tensorflowObstacle() === undefined ? ['kernels'] : [];
  expect(names).toEqual(['node', 'tensorflow', ...kernels, 'gpu', 'webgpu', 'wasm', 'sqlite', 'electron', 'browser']);
  expect(report.backend.name).toBe(tensorflowObstacle() === undefined ? 'tensorflow' : report.backend.name);
  const used = report.checks.find((check) => check.name === report.backend.name);
  expect(used).toMatchObject({ status: expect.stringMatching(/ok|warning/), reason: expect.stringContaining('used') });
  expect(report.checks.find((check) => check.name === 'wasm')).toMatchObject({ status: 'ok' });
});

test('devices end with the CPU and its cores', async () => {
  const devices = await listDevices();
  for (const device of devices) DeviceInfo.parse(device);
  expect(devices.at(-1)).toMatchObject({ id: 'cpu', kind: 'cpu', cores: expect.any(Number) });
});
