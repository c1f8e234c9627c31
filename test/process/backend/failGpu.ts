// Run by backends.test.ts: `node failGpu.ts refuse|lose` lets the GPU fail between two operations; prints, as one line of
// JSON, the errors with which the next values are read.

import { serializeError } from '../../../engine/api/errors.ts';
import { loadBackend } from '../../../engine/backend/index.ts';

const { tf } = await loadBackend({ backend: 'webgpu' });

interface Device {
  createShaderModule(options: { readonly code: string }): void;
  destroy(): void;
}

function deviceOf(backend: object): Device {
  if ('device' in backend) return backend.device as Device;
  throw new Error('the backend has no device');
}

function failureOf(read: () => unknown) {
  return Promise.resolve()
    .then(read)
    .then(() => undefined, serializeError);
}

const onGpu = () => tf.matMul(tf.ones([40, 40]), tf.ones([40, 40]));
await onGpu().data();
const device = deviceOf(tf.backend());
if (process.argv[2] === 'lose') device.destroy();
else device.createShaderModule({ code: 'this is no WGSL' });
const atOnce = await failureOf(() => onGpu().dataSync());
const later = await failureOf(() => onGpu().data());
process.stdout.write(`${JSON.stringify({ atOnce, later })}\n`, () => process.exit(0));
